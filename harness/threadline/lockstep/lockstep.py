"""The lockstep: a model and a real system take one operation at a time, compared after each."""

from __future__ import annotations

import re
import traceback
from asyncio import CancelledError
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, NoReturn

from ..contract import Census, Contract, Driver
from ..failure import Disagreement, Failure, Property, Signature, divergence_type
from ..history import Step
from ..operation import Operation
from ..outcome import Crashed, Hung, Ok, Outcome, Refused
from .pump import NotDone
from .renaming import Named, Renaming
from .warning_recorder import Warned

Record = Callable[[int, Operation], None]


class NoOutcome(TypeError):
    """A driver's method returned something else than an outcome."""

    def __init__(self, kind: str, value: object) -> None:
        super().__init__(
            f"the driver's {kind} returned {value!r}; return Ok(value) or Refused(reason)"
        )
        self.kind = kind


class Lockstep:
    """One run: a fresh model beside a fresh system, from the first step on.

    `record` is called before each step, so that what a step does to the process cannot lose it.
    """

    def __init__(
        self,
        contract: Contract,
        driver: Driver,
        settings: Mapping[str, object],
        record: Record | None = None,
        warned: Warned | None = None,
    ) -> None:
        self.model = contract.model(driver.policy, **settings)
        self.steps: list[Step] = []
        self.contract = contract
        self.driver = driver
        self.settings = settings
        self._record = record
        self._renaming = Renaming()
        self._warned = warned

    def step(self, number: int, operation: Operation) -> Step:
        """Let model and system take one operation; raise Divergence where they part.

        Raises Dangling, with nothing done, for a handle that nothing is bound to.
        """
        resolved = operation.resolved(self._renaming.real)
        if self._record is not None:
            self._record(number, operation)
        expected: Outcome = operation.apply(self.model.at(number))
        actual = self.play(resolved)
        if not self._agree(expected, actual):
            disagreement = Disagreement("outcome", expected, self._named(actual, expected))
            self._part(number, operation, expected, disagreement)
        step = Step(number, operation, expected, expected)
        self.steps.append(step)
        self._compare_census(step)
        return step

    def returned(self) -> Iterable[object]:
        """Return what the system has returned under a handle so far."""
        return self._renaming.real.values()

    def play(self, operation: Operation) -> Outcome:
        """Let the system alone take an operation, and return what came back, whatever that is."""
        if self._warned is not None:
            self._warned.take()  # given between steps: no operation's
        try:
            outcome = operation.apply(self.driver)
        except NotDone as error:
            outcome = Hung(error.limit, error.stacks)
        except (Exception, SystemExit, CancelledError) as error:
            if type(error).__module__.partition(".")[0] == "hypothesis":
                raise  # its control flow, not the system's failure
            outcome = _crashed(error)
        if not isinstance(outcome, Outcome):
            raise NoOutcome(operation.kind, outcome)
        if self._warned is not None and self._warned.categories:
            outcome = replace(outcome, warnings=self._warned.take())
        return outcome

    def _agree(self, expected: Outcome, actual: Outcome) -> bool:
        if expected is actual:
            return True
        if expected.warnings != actual.warnings:
            return False
        if isinstance(expected, Ok):
            return isinstance(actual, Ok) and self._renaming.binds(expected.value, actual.value)
        return expected == actual

    def _named(self, actual: Outcome, expected: Outcome) -> Outcome:
        """Return the system's outcome as a reader sees it."""
        if isinstance(actual, Ok):
            value = expected.value if isinstance(expected, Ok) else None
            return replace(actual, value=self._renaming.named(actual.value, value))
        if isinstance(actual, Refused):
            return replace(actual, reason=self._renaming.told(actual.reason))
        if isinstance(actual, Crashed):
            return replace(actual, error=self._renaming.told(actual.error))
        return actual

    def _compare_census(self, step: Step) -> None:
        expected: Census = self.model.census()
        try:
            held = self.driver.census()
        except Exception as error:
            self._part(*step[:3], Disagreement("census", expected, _crashed(error)))
        if held is None:
            return
        for name, value in expected.items():
            if name not in held:
                continue  # a system that cannot tell this part of its census leaves it out
            if self._renaming.knows(value, held[name]):
                continue
            actual = self._renaming.named(held[name], value)
            self._part(*step[:3], Disagreement(f"census {name}", *_differing(value, actual)))
        if self.contract.invariants:
            self._assert_invariants(step, expected, Named(held, self._renaming))

    def _assert_invariants(self, step: Step, expected: Census, held: Census) -> None:
        for broken, invariant in self.contract.invariants:
            try:
                invariant(expected, held)
            except AssertionError as error:
                of = f"invariant {invariant.__name__}"
                self._part(*step[:3], Disagreement(of, "holds", str(error)), broken)

    def _part(
        self,
        number: int,
        operation: Operation,
        expected: Outcome,
        disagreement: Disagreement,
        broken: Property | None = None,
    ) -> NoReturn:
        if isinstance(disagreement.actual, Hung):
            broken = Property.LIVENESS
        if broken is None:
            broken = self.contract.blame(self.model, operation, disagreement)
        of_outcome = disagreement.of == "outcome"
        actual: Any = disagreement.actual if of_outcome else expected
        if not of_outcome:
            self.steps.pop()
        self.steps.append(Step(number, operation, expected, actual))
        failure = Failure(Signature(broken, operation.kind), disagreement, tuple(self.steps))
        raise divergence_type(failure.signature)(failure)


def _crashed(error: BaseException) -> Crashed:
    """Return the outcome for an exception: stable text, and the innermost line that raised."""
    text = re.sub(r"0x[0-9a-fA-F]{6,}", "0x...", str(error))
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    where = f"{last.filename.rpartition('/')[2]}:{last.lineno} {last.name}" if last else ""
    return Crashed(f"{type(error).__name__}: {text}" if text else type(error).__name__, where)


def _differing(expected: object, actual: object) -> tuple[object, object]:
    """Return only the entries in which two mappings differ; anything else as it is."""
    if not isinstance(expected, dict) or not isinstance(actual, dict):
        return expected, actual
    missing = object()
    keys = [
        key
        for key in [*expected, *(key for key in actual if key not in expected)]
        if expected.get(key, missing) != actual.get(key, missing)
    ]
    return (
        {key: expected[key] for key in keys if key in expected},
        {key: actual[key] for key in keys if key in actual},
    )
