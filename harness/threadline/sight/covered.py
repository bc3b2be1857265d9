"""What is told of the runs of scenarios: what they have called and reached, and what not."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType

from ..driver import Driver
from ..history import count
from ..loading import Target
from ..model import Model
from ..printable import printable
from ..scenario import Scenario
from ..search.behaviour import unpacked
from .mutants import Source, stands_apart
from .verdict import Reached

TESTS = (Driver, Scenario)  # whose methods are neither the system's nor the model's
WIDE = 28  # columns of the names of operations


def covered(target: Target, files: Sequence[Source], scenarios: Sequence[Reached]) -> Iterator[str]:
    """Yield the lines of what scenarios have reached together on a target.

    That is: operations with their outcomes, states of the model, lines of the files that were not
    executed, rules that have never fired, and goals that were not met.
    """
    yield from _operations(target, scenarios)
    states = {state for each in scenarios for state in unpacked(each.states)}
    runs, steps = sum(each.runs for each in scenarios), sum(each.steps for each in scenarios)
    played = f"{count(runs, 'run')}, {count(steps, 'step')}"
    yield f"{count(len(states), 'state')} of the model, {played}"
    for source in files:
        yield from _lines(source, scenarios)
    for each in scenarios:
        yield from (f"{_short(each)}: {printable(line)}" for line in each.unused)
    yield from (f"vacuous: {line}" for line in unmet(scenarios))


def unmet(scenarios: Sequence[Reached]) -> list[str]:
    """Return a line for each goal that no run of its scenario has met."""
    return [
        f"{_short(each)} never comes to this: {printable(goal)}"
        for each in scenarios
        for goal in each.unmet
    ]


def _operations(target: Target, scenarios: Sequence[Reached]) -> Iterator[str]:
    sums: dict[str, Counter[str]] = {kind: Counter() for kind in target.model.kinds()}
    for each in scenarios:
        for kind, outcomes in each.operations.items():
            sums.setdefault(kind, Counter()).update(outcomes)
    for kind in sorted(sums, key=lambda kind: (sums[kind].total(), kind)):
        named = sorted(sums[kind].items(), key=lambda pair: (-pair[1], pair[0]))
        parts = ", ".join(f"{name} {number:,}" for name, number in named)
        yield f"{kind:<{WIDE}} {printable(parts) or 'never called'}"


def _lines(source: Source, scenarios: Sequence[Reached]) -> Iterator[str]:
    ran = {int(line) for each in scenarios for line in each.lines.get(source.file, {})}
    for name, lines in _functions(compile(source.text, source.file, "exec", dont_inherit=True)):
        missing = sorted(lines - ran)
        if missing and _is_looked_at(source, name):
            numbers = ", ".join(map(str, missing)) if ran & lines else "never called"
            yield f"not reached: {source.shown} {name}, {numbers}"


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


def file_of(target: Target) -> Source:
    """Return the file of a target's model, as one whose lines are looked at."""
    file = inspect.getsourcefile(target.model) or ""
    path, here = Path(file), Path.cwd()
    shown = path.relative_to(here) if path.is_relative_to(here) else path
    return Source(target.model.__module__, file, shown.as_posix(), path.read_text("utf-8"))


def _short(reached: Reached) -> str:
    return reached.scenario.rpartition(":")[2].lower()
