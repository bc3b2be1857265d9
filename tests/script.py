"""A script: model and driver that answer with exactly what a test tells them to."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from threadline.contract import Census, Contract, Driver, Invariant
from threadline.failure import Disagreement, Property
from threadline.lockstep.lockstep import Lockstep, Record
from threadline.lockstep.warning_recorder import Warned
from threadline.operation import Operation
from threadline.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Call(Operation):
    """The next answer is asked for."""

    argument: object = None

    def apply(self, target: ScriptModel | ScriptDriver) -> Outcome:
        return target.call(self.argument)


@dataclass(slots=True)
class ScriptModel:
    """Expects one outcome after another."""

    answers: Iterator[Outcome]
    held: Census = field(default_factory=dict)

    def at(self, _step: int) -> Self:
        return self

    def call(self, _argument: object) -> Outcome:
        return next(self.answers)

    def census(self) -> Census:
        return self.held


class ScriptDriver(Driver):
    """Gives one answer after another, or raises it; `given` keeps the arguments."""

    contract: ClassVar[Contract]

    def __init__(self, answers: Sequence[object], held: Census | None) -> None:
        self.given: list[object] = []
        self.held = held
        self._answers = iter(answers)

    def call(self, argument: object) -> Any:
        self.given.append(argument)
        answer = next(self._answers)
        if isinstance(answer, BaseException):
            raise answer
        return answer() if callable(answer) else answer

    def census(self) -> Census | None:
        return self.held


def blame(_model: object, _operation: Operation, disagreement: Disagreement) -> Property:
    """Blame what the test can recognise: isolation for outcomes, memory for the census."""
    return Property.ISOLATION if disagreement.of == "outcome" else Property.MEMORY


def lockstep(
    expected: Sequence[Outcome],
    actual: Sequence[object],
    *,
    model_holds: Mapping[str, object] | None = None,
    system_holds: Mapping[str, object] | None = None,
    invariants: tuple[tuple[Property, Invariant], ...] = (),
    record: Record | None = None,
    warned: Warned | None = None,
) -> Lockstep:
    """Return a run whose model expects one list of outcomes, and whose system gives another."""
    model = ScriptModel(iter(expected), model_holds or {})
    contract = Contract("script", (Call,), lambda _policy: model, None, blame, invariants)
    return Lockstep(contract, ScriptDriver(actual, system_holds), {}, record, warned)


def warning(outcome: Outcome, category: type[Warning]) -> Callable[[], Outcome]:
    """Return an answer that warns before it is given."""

    def answer() -> Outcome:
        warnings.warn("take care", category, stacklevel=1)
        return outcome

    return answer
