"""A script: model and driver that answer with exactly what a test tells them to."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from threadline import Census, Disagreement, Driver, Model, Operation, Property, operation
from threadline.failure import Divergence, Failure
from threadline.lockstep.lockstep import Lockstep, Record
from threadline.lockstep.recorders import WarningRecorder
from threadline.model import Invariant
from threadline.outcome import Outcome


class Script(Model):
    """Expects one answer after another: a value, an outcome, what it raises, or a function of it.

    A part of the census that is called "seen" is for invariants alone.
    """

    watched = frozenset({"seen"})

    def __init__(self, answers: Iterable[object] = (), held: Census | None = None) -> None:
        self._answers = iter(answers)
        self._held = held or {}

    @operation
    def call(self, argument: object = None) -> object:
        """The next answer is asked for."""
        return _next(self, self._answers)

    def census(self) -> Census:
        return self._held

    def blame(self, asked: Operation, disagreement: Disagreement) -> Property:
        """Blame what the test can recognise: isolation for outcomes, memory for the census."""
        return Property.ISOLATION if disagreement.of == "outcome" else Property.MEMORY


class ScriptDriver(Driver[Script]):
    """Gives one answer after another, as the model does; `given` keeps the arguments."""

    def __init__(self, answers: Iterable[object] = (), held: object = None) -> None:
        self.given: list[object] = []
        self.held: Any = held  # Any: what a careless author may return, too
        self._answers = iter(answers)

    def call(self, argument: object) -> object:
        self.given.append(argument)
        return _next(self, self._answers)

    def census(self) -> Census | None:
        return self.held  # type: ignore[no-any-return]  # what a test tells it to return


def _next(side: Script | ScriptDriver, answers: Iterator[object]) -> object:
    answer = next(answers)
    if isinstance(answer, BaseException):
        raise answer
    return answer(side) if callable(answer) else answer


def lockstep(
    expected: Sequence[object],
    actual: Sequence[object],
    *,
    model_holds: Mapping[str, object] | None = None,
    system_holds: object = None,
    invariants: tuple[tuple[Property, Invariant], ...] = (),
    record: Record | None = None,
    warned: WarningRecorder | None = None,
) -> Lockstep:
    """Return a run whose model gives one list of answers, and whose system gives another."""
    model = Script(expected, model_holds)
    return Lockstep(model, ScriptDriver(actual, system_holds), record, warned, invariants)


def failure_of(run: Lockstep, argument: object = None) -> Failure:
    """Return how a run fails in its next step."""
    with pytest.raises(Divergence) as raised:
        run.step(len(run.steps) + 1, Script.call(argument))
    return raised.value.failure


def parted(
    expected: Sequence[object], actual: Sequence[object], *arguments: object, **more: Any
) -> Failure:
    """Return how a run fails in the last of its steps; the first of them take no argument."""
    run = lockstep(expected, actual, **more)
    given = [None] * (len(expected) - len(arguments)) + [*arguments]
    for number, argument in enumerate(given[:-1], 1):
        run.step(number, Script.call(argument))
    return failure_of(run, given[-1])


def agreed(expected: object, actual: object, **more: Any) -> Outcome:
    """Return the outcome of a step on which both sides agree."""
    return lockstep([expected], [actual], **more).step(1, Script.call()).actual


def warning(answer: object, category: type[Warning]) -> Callable[[object], object]:
    """Return an answer that warns before it is given."""

    def warn(_side: object) -> object:
        warnings.warn("take care", category, stacklevel=1)
        return answer

    return warn


def telling(to: object, *what: object, answer: object = None) -> Callable[[Any], object]:
    """Return an answer beside which somebody is told something."""

    def tell(side: Any) -> object:
        for each in what:
            side.tell(to, each)
        return answer

    return tell
