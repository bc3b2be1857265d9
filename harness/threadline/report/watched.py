"""A trace played once, with what each call on the driver returned or raised."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..driver import Driver
from ..failure import Divergence, Failure
from ..handle import Handle
from ..history import Step
from ..lifecycle import Lifecycle
from ..lockstep.lockstep import Lockstep
from ..lockstep.run import Runs, Skipped, play
from ..operation import Operation, map_atoms
from ..outcome import Ok, Outcome, Refused
from ..trace import Trace

Path = tuple[object, ...]  # keys and positions that lead to a place in a value


@dataclass(slots=True)
class Call:
    """One call on a driver: what it came back with."""

    returned: object = None
    raised: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Played:
    """One step: what was expected, what the driver's method did, and where new ids stand.

    `fresh` are the places of handles that had no id before: in the value, or in what was told
    where the place begins with TOLD.
    """

    operation: Operation
    expected: Outcome
    call: Call
    fresh: Mapping[Handle, Path]
    agrees: bool


@dataclass(slots=True)
class Watched:
    """A trace as it was played: its steps, its failure, and what the test needs to know.

    `real` are the ids that handles stood for, `census` is what the model held at the end.
    """

    steps: list[Played] = field(default_factory=list)
    failure: Failure | None = None
    real: Mapping[Handle, object] = field(default_factory=dict)
    census: Mapping[str, object] = field(default_factory=dict)
    is_pumped: bool = False


class _Told:
    """Begins the place of a handle in what was told."""


TOLD = _Told()


def watch(
    runs: Runs, stored: Trace, rewind: Callable[[], object], *, mutates: bool = True
) -> Watched:
    """Play a trace, and return what came of it; `rewind` is called after each step.

    Without `mutates`, what the system returns is left as it is, whatever its driver says.
    """
    seen = Watched()
    try:
        with runs.begin(stored.header) as lockstep:
            if not mutates:
                lockstep.driver.mutates = False  # type: ignore[misc]  # of this one alone
            calls = _watching(lockstep.driver)
            try:
                for step in play(lockstep, stored.operations):
                    if not isinstance(step, Skipped):
                        seen.steps.append(_played(step, calls, seen))
                    rewind()
                if stored.header.round_trip:
                    runs.look(lockstep, stored.header)
            finally:
                _note_end(seen, lockstep)
    except Divergence as divergence:
        seen.failure = divergence.failure
        if not isinstance(seen.failure.step.operation, Lifecycle):
            seen.steps.append(_played(seen.failure.step, calls, seen))
    return seen


def _note_end(seen: Watched, lockstep: Lockstep) -> None:
    seen.real = dict(lockstep._renaming.real)
    seen.census = lockstep.model.census()
    seen.is_pumped = lockstep.driver._pump is not None


def _watching(driver: Driver[Any]) -> list[Call]:
    """Return a list to which each call of an operation on this driver is added."""
    calls: list[Call] = []

    def watched(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: object) -> object:
            calls.append(this := Call())
            try:
                value = method(*arguments)
            except BaseException as error:
                this.raised = error
                raise
            if hasattr(value, "__await__") and isinstance(value, Awaitable):
                return _awaited(value, this)
            this.returned = _kept(value)
            return value

        return call

    for kind in driver.model.kinds():
        if callable(method := getattr(driver, kind, None)):
            setattr(driver, kind, watched(method))
    return calls


async def _awaited(work: Awaitable[object], call: Call) -> object:
    try:
        value = await work
    except BaseException as error:
        call.raised = error
        raise
    call.returned = _kept(value)
    return value


def _kept(value: object) -> object:
    """Return a copy of what a call returned, which is changed afterwards."""
    if isinstance(value, Ok):
        return replace(value, value=_kept(value.value))
    return map_atoms(value, lambda atom: atom)


def _played(step: Step, calls: list[Call], seen: Watched) -> Played:
    """Return one step with its call, and where the handles stand that it brought back."""
    known = {handle for before in seen.steps for handle in before.fresh}
    fresh: dict[Handle, Path] = {}
    for handle, path in _places(step.expected):
        if handle not in known:
            fresh.setdefault(handle, path)
    call = calls[-1] if calls else Call()
    agrees = step.actual is step.expected
    return Played(step.operation, step.expected, call, fresh, agrees)


def _places(outcome: Outcome) -> Iterator[tuple[Handle, Path]]:
    if isinstance(outcome, Ok):
        yield from _handles(outcome.value, ())
    if isinstance(outcome, (Ok, Refused)) and outcome.told:
        yield from _handles(dict(outcome.told), (TOLD,))


def _handles(value: object, path: Path) -> Iterator[tuple[Handle, Path]]:
    if type(value) is Handle:
        yield value, path
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _handles(item, (*path, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _handles(item, (*path, key))
