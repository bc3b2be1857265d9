"""What is told of the runs of scenarios: what they have called and reached, and what not."""

from __future__ import annotations

import inspect
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any, NamedTuple

from ..driver import Driver
from ..history import count
from ..loading import Target
from ..model import Model
from ..printable import printable
from ..scenario import Scenario
from ..search.behaviour import unpacked
from .branches import Branch, untaken
from .mutants import Source, imports_of, is_own, source_of, stands_apart
from .verdict import Plan, Reached

TESTS = (Driver, Scenario)  # whose methods are neither the system's nor the model's
WIDE = 28  # columns of the names of operations


class Missing(NamedTuple):
    """The lines of a function that were not executed; `is_called` if others of it were."""

    file: str
    function: str
    lines: list[int]
    is_called: bool


class OneWay(NamedTuple):
    """The ways on from lines of a function that were never taken, though the lines were there."""

    file: str
    function: str
    branches: list[Branch]


@dataclass(frozen=True, slots=True)
class Covered:
    """What scenarios have reached together on a target, and what they have not.

    That is: operations with their outcomes, states of the model, lines of the system and the model
    that were not executed, branches of the model that were not taken, rules that have never fired
    and values that they have never drawn, and goals that were not met.
    """

    plan: Plan
    runs: int
    steps: int
    states: int
    operations: Mapping[str, Counter[str]]
    missing: Sequence[Missing]
    untaken: Sequence[OneWay]
    unused: Sequence[str]
    unmet: Sequence[str]


def covered(
    plan: Plan,
    target: Target,
    system: Sequence[Source],
    model: Sequence[Source],
    scenarios: Sequence[Reached],
) -> Covered:
    """Return what scenarios have reached together, of these files of the system and the model."""
    return Covered(
        plan,
        runs=sum(each.runs for each in scenarios),
        steps=sum(each.steps for each in scenarios),
        states=len({state for each in scenarios for state in unpacked(each.states)}),
        operations=_operations(target, scenarios),
        missing=[each for source in (*system, *model) for each in _missing(source, scenarios)],
        untaken=[each for source in model for each in _untaken(source, scenarios)],
        unused=[f"{_short(each)}: {line}" for each in scenarios for line in each.unused],
        unmet=[
            f"{_short(each)} never comes to this: {goal}"
            for each in scenarios
            for goal in each.unmet
        ],
    )


def told(one: Covered) -> Iterator[str]:
    """Yield the lines of what was reached and what was not, the rarest operations first."""
    sums = one.operations
    for kind in sorted(sums, key=lambda kind: (sums[kind].total(), kind)):
        named = sorted(sums[kind].items(), key=lambda pair: (-pair[1], pair[0]))
        parts = ", ".join(f"{name} {number:,}" for name, number in named)
        yield f"{kind:<{WIDE}} {printable(parts) or 'never called'}"
    played = f"{count(one.runs, 'run')}, {count(one.steps, 'step')}"
    yield f"{count(one.states, 'state')} of the model, {played}"
    for file, function, lines, is_called in one.missing:
        numbers = ", ".join(map(str, lines)) if is_called else "never called"
        yield f"not reached: {file} {function}, {numbers}"
    for file, function, branches in one.untaken:
        ways = ", ".join(f"{line} to {to or 'the end'}" for line, to in branches)
        yield f"never taken: {file} {function}, {ways}"
    yield from map(printable, one.unused)
    yield from (f"vacuous: {printable(line)}" for line in one.unmet)


def as_json(one: Covered) -> dict[str, Any]:
    """Return the same as JSON, each part under its name here."""
    plan = one.plan
    return {
        "driver": plan.driver,
        "scenarios": [*plan.scenarios],
        "seed": plan.seed,
        **{name: getattr(one, name) for name in ("runs", "steps", "states", "operations")},
        "missing": [each._asdict() for each in one.missing],
        "untaken": [
            each._asdict() | {"branches": [branch._asdict() for branch in each.branches]}
            for each in one.untaken
        ],
        "unused": [*one.unused],
        "unmet": [*one.unmet],
    }


def _operations(target: Target, scenarios: Sequence[Reached]) -> dict[str, Counter[str]]:
    sums: dict[str, Counter[str]] = {kind: Counter() for kind in target.model.kinds()}
    for each in scenarios:
        for kind, outcomes in each.operations.items():
            sums.setdefault(kind, Counter()).update(outcomes)
    return sums


def _missing(source: Source, scenarios: Sequence[Reached]) -> Iterator[Missing]:
    ran = {int(line) for each in scenarios for line in each.lines.get(source.file, {})}
    for name, lines in _functions(compile(source.text, source.file, "exec", dont_inherit=True)):
        missing = sorted(lines - ran)
        if missing and _is_looked_at(source, name):
            yield Missing(source.shown, name, missing, bool(ran & lines))


def _untaken(source: Source, scenarios: Sequence[Reached]) -> Iterator[OneWay]:
    pairs = (pair for each in scenarios for pair in each.taken.get(source.file, ()))
    found = list(untaken(source, {(line, to) for line, to in pairs}))
    for name, lines in _functions(compile(source.text, source.file, "exec", dont_inherit=True)):
        own = [branch for branch in found if branch.line in lines]
        if own and _is_looked_at(source, name):
            yield OneWay(source.shown, name, own)


def _is_looked_at(source: Source, function: str) -> bool:
    """Return whether a function is one of the system, or what an operation of the model calls.

    A model's teardown, and what says whose a failure is, are called where they are needed.
    """
    is_of_model = not stands_apart(source, (Model,), function)
    is_aside = is_of_model and hasattr(Model, function.rpartition(".")[2])
    return stands_apart(source, TESTS, function) and not is_aside


def _functions(code: CodeType) -> Iterator[tuple[str, set[int]]]:
    """Yield the functions of a code, each with the lines that it can execute."""
    for each in code.co_consts:
        if not isinstance(each, CodeType):
            continue
        if each.co_flags & inspect.CO_OPTIMIZED and not each.co_name.startswith("<"):
            lines = {line for _, _, line in each.co_lines() if line} - {each.co_firstlineno}
            body = {line for line in lines if line > each.co_firstlineno}
            yield each.co_qualname, body
        yield from _functions(each)


def files_of(target: Target, system: Sequence[Source]) -> list[Source]:
    """Return the files of a target's model, as those whose lines are looked at.

    They are those of its classes, and what these import of the user's own, but for the driver's
    and the system's.
    """
    found: dict[str, Source] = {}
    apart = {source.file for source in system}
    kinds = [each for each in target.model.__mro__ if issubclass(each, Model) and each is not Model]
    left = [each.__module__ for each in kinds]
    while left:
        name = left.pop()
        source = None if name in found else source_of(name)
        if source is not None and source.file not in apart:
            found[name] = source
            names = set(imports_of(name)) - {target.driver.__module__}
            left += [each for each in names if is_own(sys.modules.get(each))]
    return [found[name] for name in sorted(found)]


def _short(reached: Reached) -> str:
    return reached.scenario.rpartition(":")[2].lower()
