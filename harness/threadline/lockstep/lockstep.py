"""The lockstep: a model and a real system take one operation at a time, compared after each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn

from ..difference import where
from ..driver import Driver, DriverError
from ..failure import Disagreement, Divergence, Failure, Property, Signature, divergence_type
from ..history import Step
from ..lifecycle import Lifecycle
from ..model import Census, Invariant, Model
from ..operation import Operation, atoms_in
from ..outcome import Crashed, Hung, Ok, Outcome, Refused
from ..pool import Now
from ..trace import is_signature_of, plain
from .handed import handed
from .outcomes import DONE, TEXT_MAX, actual_of, crashed, expected_of, is_interrupt
from .recorders import WarningRecorder
from .renaming import Named, NotHeld, Renaming, Untold

Record = Callable[[int, Operation], None]
SHOWN_MAX = 1_000_000  # characters, above which only the beginning of a value is kept; our choice
Invariants = tuple[tuple[Property, Invariant], ...]


class Lockstep:
    """One run: a fresh model beside a fresh system, from the first step on.

    `record` is called before each step, so that a step which ends the process is not lost. `now`
    has the model, for those who look at it: after a step it may be another object.
    `invariants` are the model's, unless given; a failure shows `settings`. A disagreement whose
    signature it `tolerates` is counted, and the run goes on without comparing that again.
    """

    def __init__(
        self,
        model: Model,
        driver: Driver[Any],
        record: Record | None = None,
        warned: WarningRecorder | None = None,
        invariants: Invariants | None = None,
        settings: Mapping[str, object] | None = None,
        tolerates: Sequence[str] = (),
    ) -> None:
        self.now = Now(model)
        self.settings = settings or {}
        self.steps: list[Step] = []
        self.driver = driver
        self.empty = model.census()  # what a teardown comes back to
        self.has_diverged = False
        self._invariants = model.invariants if invariants is None else invariants
        self.record = record
        self._given = GivenTexts()
        self._renaming = Renaming(self._given.has)
        self._census_names: set[str] = set()  # of the system's, as they were checked last
        self._warned = warned
        self.tolerated: dict[str, int] = {}
        self._tolerates = tolerates
        self.undecided = 0  # times that nobody could say what is right; only where calls overlap
        self._dropped: set[str] = set()  # what is not compared any more, as disagreements name it

    @property
    def model(self) -> Model:
        """The model that the run is at."""
        found: Model = self.now.model
        return found

    def step(self, number: int, operation: Operation) -> Step:
        """Apply one operation to model and system; raise Divergence where they disagree.

        Raises Dangling for a handle that nothing is bound to, and Unpredictable where the model
        does, with nothing done to the system.
        """
        resolved = operation.resolved(self._renaming.real)
        if self.record is not None:
            self.record(number, operation)
        expected = expected_of(self.model.at(number), operation)
        self._given.new.append(operation)
        return self._compared(number, operation, expected, self.play(resolved))

    def _compared(
        self, number: int, operation: Operation, expected: Outcome, actual: Outcome
    ) -> Step:
        """Return the step that agrees in outcome, census and invariants; else raise Divergence."""
        try:
            agree = self._agree(expected, actual)
        except BaseException as error:  # by the system's own __eq__ or __hash__, or for its depth
            agree, actual = False, self._raised(error)
        shows = expected
        if not agree:
            shows = self._shown(actual, expected)
            self._differ(number, operation, expected, Disagreement("outcome", expected, shows))
            self._renaming.binds_what_it_can(_values(expected), _values(actual))
        step = Step(number, operation, expected, shows)
        self.steps.append(step)
        self._compare_census(step)
        return step

    @property
    def has_io(self) -> bool:
        """Whether anything in the system has taken time: never, where nothing overlaps."""
        return False

    def finish(self) -> None:
        """Wait for the operations that are not over after the last step, and compare them."""

    def stop(self) -> None:
        """End the threads of operations that never return: the run is over."""

    def returned(self) -> Iterable[object]:
        """Return what the system has returned under a handle so far."""
        return self._renaming.real.values()

    def play(self, operation: Operation) -> Outcome:
        """Apply an operation to the system alone, and return what came back, whatever that is."""
        if self._warned is None:
            return self._handed(actual_of(self.driver, operation))
        self._warned.take()  # given between steps: no operation's
        outcome = self._handed(actual_of(self.driver, operation))
        if self._warned.categories:
            outcome = replace(outcome, warnings=self._warned.take())
        return outcome

    def _handed(self, outcome: Outcome) -> Outcome:
        """Return an outcome with a copy of what was returned, which its caller has changed then."""
        if not self.driver.mutates or not isinstance(outcome, Ok):
            return outcome
        try:
            value = handed(outcome.value)
        except RecursionError:  # told where it is compared, which it does not bear either
            return outcome
        return outcome if value is outcome.value else replace(outcome, value=value)

    def _agree(self, expected: Outcome, actual: Outcome) -> bool:
        if expected is actual:
            return True
        if expected.warnings != actual.warnings:
            return False
        if isinstance(expected, Ok):
            if not (isinstance(actual, Ok) and self._renaming.binds(expected.value, actual.value)):
                return False
            if expected.told is None and actual.told is None:
                return True
            return self._heard_alike(expected, actual)
        if isinstance(expected, Refused):
            return (
                isinstance(actual, Refused)
                and expected.reason == actual.reason
                and not expected.unsaid(actual)
                and self._heard_alike(expected, actual)
            )
        return expected == actual

    def _heard_alike(self, expected: Ok | Refused, actual: Ok | Refused) -> bool:
        """Return whether both sides told the same addressees the same, in the same order."""
        return self._renaming.binds(expected.told or {}, actual.told or {})

    def _named(self, actual: Outcome, expected: Outcome) -> Outcome:
        """Return the system's outcome as a reader sees it."""
        if isinstance(actual, (Ok, Refused)) and actual.told:
            heard = expected.told if isinstance(expected, (Ok, Refused)) else None
            told: Any = self._renaming.named_outcome(actual.told, heard)
            actual = replace(actual, told=told)
        if isinstance(actual, Ok):
            value = expected.value if isinstance(expected, Ok) else None
            return replace(actual, value=self._renaming.named_outcome(actual.value, value))
        if isinstance(actual, Refused):
            return self._named_refusal(actual, expected)
        if isinstance(actual, Crashed):
            return replace(actual, error=self._renaming.told(actual.error))
        return actual

    def _named_refusal(self, actual: Refused, expected: Outcome) -> Refused:
        """Return a refusal by its names, with its text where that does not say what it must."""
        missing = expected.unsaid(actual) if isinstance(expected, Refused) else []
        because = f"{actual.text!r} does not say {missing[0]!r}" if missing else actual.because
        reason = self._renaming.told(actual.reason)
        return replace(actual, reason=reason, because=because)

    def fail(self, call: Lifecycle, error: BaseException, steps: Sequence[Step]) -> Divergence:
        """Return the failure of a call that the run makes by itself after these steps."""
        self.has_diverged = True
        number = steps[-1].number + 1 if steps else 1
        return lifecycle_failure(call, number, steps, self._raised(error), self.settings)

    def _raised(self, error: BaseException) -> Outcome:
        if is_interrupt(error):
            raise error
        return crashed(error)

    def _shown(self, actual: Outcome, expected: Outcome) -> Outcome:
        """Return the system's outcome as a reader sees it, whatever its values do when printed."""
        value = actual.value if isinstance(actual, Ok) else None
        if isinstance(value, (str, bytes)) and len(value) > SHOWN_MAX:
            return Ok(Untold(f"{value[:TEXT_MAX]!r} ... (length {len(value):,})"))
        try:
            named = self._named(actual, expected)
            if len(str(named)) <= SHOWN_MAX:
                return named
        except BaseException as error:
            found = self._raised(error)
            return Ok(Untold(str(found))) if isinstance(actual, Ok) else found
        return Ok(Untold(str(named)[:TEXT_MAX]))

    def ask_census(self) -> Census | None:
        """Ask the system what it holds."""
        return self.driver.census()

    def _compare_census(self, step: Step) -> None:
        expected = self.model.census()
        try:
            held = self.ask_census()
        except BaseException as error:
            self._differ(*step[:3], Disagreement("census", expected, self._raised(error)))
            return
        if held is None:
            return
        try:
            self._compare_held(step, expected, held)
        except (Divergence, DriverError):
            raise
        except BaseException as error:
            self._differ(*step[:3], Disagreement("census", expected, self._raised(error)))
            return
        if self._invariants:
            self._assert_invariants(step, expected, Named(held, self._renaming))

    def _compare_held(self, step: Step, expected: Census, held: Census) -> None:
        if type(held) is not dict or held.keys() != self._census_names:
            check_census(self.driver, self.model, expected, held)
            self._census_names = set(held)
        for name, value in expected.items():
            if name not in held:
                continue  # a system that cannot tell this part of its census leaves it out
            if self._renaming.knows(value, held[name]):
                continue
            of = f"census {name}"
            if of not in self._dropped:
                actual = self._renaming.named(held[name], value)
                self._differ(*step[:3], Disagreement(of, *differing(value, actual)))

    def _assert_invariants(self, step: Step, expected: Census, held: Census) -> None:
        for broken, invariant in self._invariants:
            try:
                invariant(expected, held)
            except NotHeld:
                continue  # it needs what this system cannot tell
            except AssertionError as error:
                of = f"invariant {invariant.__name__}"
                if of not in self._dropped:
                    self._differ(*step[:3], Disagreement(of, "holds", str(error)), broken)

    def _differ(
        self,
        number: int,
        operation: Operation,
        expected: Outcome,
        disagreement: Disagreement,
        broken: Property | None = None,
    ) -> None:
        """Raise Divergence, unless the disagreement is tolerated: then it is not compared again."""
        signature = self._signature(operation, disagreement, broken)
        if any(is_signature_of(text, signature) for text in self._tolerates):
            name = str(signature)
            self.tolerated[name] = self.tolerated.get(name, 0) + 1
            self._dropped |= {disagreement.of} - {"outcome"}
            return
        self._part(number, operation, expected, disagreement, signature)

    def _signature(
        self, operation: Operation, disagreement: Disagreement, broken: Property | None = None
    ) -> Signature:
        """Return the signature of a disagreement: the property it breaks, and where."""
        if isinstance(disagreement.actual, Hung):
            broken = Property.LIVENESS
        if broken is None:
            broken = self._blamed(operation, disagreement)
        field = where(disagreement.of, disagreement.expected, disagreement.actual, self._given)
        return Signature(broken, operation.kind, field)

    def _part(
        self,
        number: int,
        operation: Operation,
        expected: Outcome,
        disagreement: Disagreement,
        signature: Signature,
    ) -> NoReturn:
        self.has_diverged = True
        of_outcome = disagreement.of == "outcome"
        actual: Any = disagreement.actual if of_outcome else expected
        if not of_outcome:
            self.steps.pop()
        self.steps.append(Step(number, operation, expected, actual))
        policy = plain(self.model.policy)
        failure = Failure(signature, disagreement, tuple(self.steps), self.settings, policy)
        raise divergence_type(failure.signature)(failure)

    def _blamed(self, operation: Operation, disagreement: Disagreement) -> Property:
        try:
            return self.model.blame(operation, disagreement)
        except Exception as error:  # a value of the system's may not bear being looked at
            return self.model.blame(operation, replace(disagreement, actual=crashed(error)))


def lifecycle_failure(
    call: Lifecycle,
    number: int,
    steps: Sequence[Step],
    outcome: Outcome,
    settings: Mapping[str, object],
) -> Divergence:
    """Return the failure of liveness of a call that a run makes by itself, under this number."""
    step = Step(number, call, DONE, outcome)
    disagreement = Disagreement("outcome", DONE, outcome)
    signature = Signature(Property.LIVENESS, call.kind, where("outcome", DONE, outcome))
    failure = Failure(signature, disagreement, (*steps, step), settings)
    return divergence_type(signature)(failure)


class GivenTexts:
    """The texts that a run has given the system as arguments; looked through when asked for."""

    def __init__(self) -> None:
        self.new: list[Operation] = []  # not looked through so far
        self._texts: set[str] = set()

    def has(self, text: str) -> bool:
        """Return whether an argument was this text, or held it."""
        while self.new:
            atoms = atoms_in(list(self.new.pop().arguments().values()))
            self._texts.update(atom for atom in atoms if type(atom) is str)
        return text in self._texts

    def __contains__(self, text: object) -> bool:
        return type(text) is str and self.has(text)


def check_census(driver: Driver[Any], model: Model, expected: Census, held: object) -> None:
    """Raise DriverError for a census that is none, or that has what the model does not know."""
    if not isinstance(held, Mapping):
        raise DriverError(
            f"{type(driver).__name__}.census returned {held!r}; return a mapping from the names "
            f"of parts to what is held, such as {{{', '.join(map(repr, expected)) or '...'}}}"
        )
    for name in held:
        if name not in expected and name not in model.watched:
            names = ", ".join(map(str, (*expected, *sorted(model.watched)))) or "nothing"
            raise DriverError(
                f"{type(driver).__name__}.census has a part {name!r}, and the census of "
                f"{type(model).__name__} has {names}; give it one of these names, or leave it out"
            )


def _values(outcome: Outcome) -> list[object]:
    """Return where an outcome can bring back ids: its value, and what was told beside it."""
    if isinstance(outcome, Ok):
        return [outcome.value, outcome.told or {}]
    return [None, (outcome.told if isinstance(outcome, Refused) else None) or {}]


def differing(expected: object, actual: object) -> tuple[object, object]:
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
