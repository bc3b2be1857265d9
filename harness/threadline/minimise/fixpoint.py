"""Minimise a failing trace, to a fixpoint: no single operation, user or value can be removed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Any, TypeAlias, TypeVar

from ..failure import Divergence, Failure, Signature
from ..lockstep.outcomes import UNPLAYED, ModelError, expected_of
from ..lockstep.run import Runs, replay
from ..operation import Operation, atoms_in
from ..overlapping import OverlapFailure
from ..pool import Now
from ..rule import Rule
from ..scenario import Scenario
from ..search.enabled import options, sequences
from ..trace import Header, Numbered, Trace
from .passes import (
    Choices,
    Operations,
    anew,
    before,
    bindings,
    calmer,
    changed_arguments,
    entries,
    holds,
    narrowed,
    nearly,
    others,
    places,
    renumber,
    same,
    shorter,
    switched_once,
    with_argument,
    with_operation,
    with_value,
    without_blocks,
    without_ticks,
)

REPLAYS_MAX = 20_000  # a bound, 8 times what any of our mutants has needed
PAIRS_MAX = 8  # operations, up to which every change is also tried together with every deletion
SETTINGS_MAX = 12  # operations, up to which other settings are tried with deletions
ENTRIES_MAX = 3  # of all timings together, above which one or two others are tried instead
ANEW_MAX = 2_500  # of those that are tried; our choice
SWAPS_MAX = 6  # operations, up to which others are tried in the place of each
OPTIONS_MAX = 100  # operations that can come at a step, up to which all of them are tried there
SEQUENCES_MAX = 1_000  # shorter sequences, up to which all are tried
T = TypeVar("T")
Again: TypeAlias = Callable[[Runs, Header, Iterable[Numbered]], Failure | None]
Look: TypeAlias = Callable[[Now, Operation, Sequence[Rule]], T]


@dataclass(frozen=True, slots=True)
class Minimised:
    """The smallest trace found, how it fails (None: not again), and the replays that it took.

    `is_cut` says that the time was over before nothing helped any more.
    """

    trace: Trace
    failure: Failure | None
    replays: int
    is_cut: bool = False


def never() -> bool:
    """Return False: for callers without a time limit."""
    return False


def minimise(
    trace: Trace,
    signature: Signature,
    runs: Runs,
    scenario: type[Scenario[Any]] | None,
    again: Again = replay,
    is_over: Callable[[], bool] = never,
) -> Minimised:
    """Return the trace made as small as these passes can, failing with the same signature.

    The passes delete blocks of operations (ddmin; Zeller and Hildebrandt 2002, IEEE TSE 28(2)),
    take simpler arguments, earlier handles and simpler settings from the pools of `scenario`, and
    rename a value everywhere. Of at most SWAPS_MAX operations that overlap, one that waits once is
    tried. With at most PAIRS_MAX operations left, each change is tried with each deletion; with at
    most SETTINGS_MAX, with other settings. A value is put only where it could be drawn, and a text
    that has an owner never becomes another owner's. With at most SWAPS_MAX operations left, one is
    replaced by others: by those that name fewer handles, and by any together with each deletion. If
    there are at most SEQUENCES_MAX shorter sequences, all are tried. This is repeated until nothing
    helps.

    Every trace is replayed at most once, by `again`; where that is no plain replay, operations are
    not replaced. It stops when time `is_over`.
    """
    search = _Search(trace.header, signature, runs, scenario, again, is_over)
    best = search.attempt(trace.operations)
    if best is None:
        return Minimised(trace, None, search.replays, search.is_cut)
    while True:
        smaller = search.smaller(best)
        if smaller is best:
            break
        best = smaller
    least = Trace(search.header, best)
    return Minimised(least, search.failure_of(best), search.replays, search.is_cut)


@dataclass(slots=True)
class _Search:
    """What has been tried, and the passes over what is best so far; `header` has its settings."""

    header: Header
    signature: Signature
    runs: Runs
    scenario: type[Scenario[Any]] | None
    again: Again
    is_over: Callable[[], bool]
    is_cut: bool = False
    replays: int = 0
    failures: dict[bytes, Failure] = field(default_factory=dict)
    tried: set[bytes] = field(default_factory=set)

    def attempt(self, operations: Operations) -> Operations | None:
        """Return the operations that ran, if they fail alike and were not tried before."""
        text = self._text(operations)
        if text in self.tried or self.replays >= REPLAYS_MAX:
            return None
        if self.is_over():
            self.is_cut = True
            return None
        self.tried.add(text)
        self.replays += 1
        try:
            failure = self.again(self.runs, self.header, operations)
        except ModelError:
            return None  # no rule would have drawn this
        if failure is None or failure.signature != self.signature:
            return None
        ran = failure.operations
        self.failures[self._text(ran)] = failure
        return ran

    def failure_of(self, best: Operations) -> Failure:
        return self.failures[self._text(best)]

    def smaller(self, best: Operations) -> Operations:
        """Return the trace after one round of all passes."""
        if not best:  # what fails is the start of the system
            return self._with_other_settings(best, before, lambda whole: [whole])
        best = self._without_tolerance(best)
        best = self._without_blocks(best)
        best = self._first_of(best, calmer)
        if self.header.adversarial and len(best) <= PAIRS_MAX:
            best = self._first_of(best, without_ticks)
        if self.runs.target.driver.threaded:
            if len(best) <= SWAPS_MAX and self.again is replay:
                best = self._first_of(best, self._switched_once)
        elif entries(best) > ENTRIES_MAX and len(best) <= PAIRS_MAX:
            few = islice(anew(best), ANEW_MAX)
            best = next(filter(None, map(self.attempt, few)), best)
        best = self._first_of(best, self._renumbered)
        best = self._first_of(best, self._simplified, fits=self._fits)
        best = self._first_of(best, self._renamed, fits=self._fits)
        best = self._with_other_settings(best, before, lambda whole: [whole])
        if len(best) <= PAIRS_MAX:
            best = self._first_of(best, self._changed_and_shorter, fits=self._fits)
        if len(best) <= SETTINGS_MAX:
            best = self._with_other_settings(best, others, without_blocks)
        # Where each replay has a process of its own, these are too many.
        if len(best) <= SWAPS_MAX and self.again is replay:
            best = self._first_of(best, self._swapped)
            best = self._first_of(best, self._swapped_and_shorter)
            best = self._first_of(best, self._any_shorter)
        return best

    def _without_tolerance(self, best: Operations) -> Operations:
        """Drop each known signature behind which the run need not go on."""
        for signature in self.header.tolerates:
            kept = self.header
            rest = tuple(each for each in kept.tolerates if each != signature)
            self.header = replace(kept, tolerates=rest)
            ran = self.attempt(best)
            if ran is None:
                self.header = kept
            else:
                best = ran
        return best

    def _without_blocks(self, best: Operations) -> Operations:
        size = max(1, len(best) // 2)
        while size:
            start = len(best) - size
            while start >= 0:
                ran = self.attempt(best[:start] + best[start + size :])
                if ran is not None:
                    best = ran
                start = min(start, len(best)) - size
            size //= 2
        return best

    def _first_of(
        self,
        best: Operations,
        candidates: Callable[[Operations], Iterator[Operations]],
        fits: Callable[[Operations, Operations], bool] = lambda *_: True,
    ) -> Operations:
        """Take the first candidate that fails alike, and start over from it, until none does.

        One that fails alike and does not fit the best so far is passed over.
        """
        while True:
            alike = filter(None, map(self.attempt, candidates(best)))
            ran = next((ran for ran in alike if fits(best, ran)), None)
            if ran is None:
                return best
            best = ran

    def _fits(self, best: Operations, ran: Operations) -> bool:
        """Return whether each value that is new in its place could be drawn there.

        A text that has an owner must not become one that stands elsewhere: what was shown to
        another user would be taken for his own.
        """
        owned = self._owned(best)
        kept = dict(best)
        choices = self._choices(ran)
        stays = [
            value
            for number, operation in ran
            for value in atoms_in(list(operation.arguments().values()))
            if value in atoms_in(list(kept[number].arguments().values()))
        ]
        for (number, operation), could_be in zip(ran, choices, strict=True):
            for name, old, new in changed_arguments(kept[number], operation):
                if not holds(could_be, name, new):
                    return False
                if any(same(old, atom) for atom in owned) and any(same(new, v) for v in stays):
                    return False
        return True

    def _owned(self, best: Operations) -> list[object]:
        """Return the texts in a trace of which the model says at its end whose they are."""
        model = self.runs.target.new_model(self.header.settings)
        for number, operation in best:
            with suppress(*UNPLAYED):
                expected_of(model.at(number), operation)
        given = (atom for _, one in best for atom in atoms_in(list(one.arguments().values())))
        texts = [atom for atom in given if type(atom) is str]
        return [text for text in texts if model.belongs_to(text) is not None]

    def _with_other_settings(
        self,
        best: Operations,
        other_values: Callable[[object, Sequence[object]], list[object]],
        candidates: Callable[[Operations], Iterable[Operations]],
    ) -> Operations:
        """Take, for each setting, the first of the other values under which one fails alike."""
        target = self.runs.target
        for name, pool in (target.settings(self.scenario) if self.scenario else {}).items():
            kept = self.header
            for value in other_values(kept.settings.get(name), pool.values(Now(None))):
                self.header = replace(kept, settings={**kept.settings, name: value})
                ran = next(filter(None, map(self.attempt, candidates(best))), None)
                if ran is not None:
                    best = ran
                    break
                self.header = kept
        return best

    def _switched_once(self, best: Operations) -> Iterator[Operations]:
        failure = self.failure_of(best)
        if isinstance(failure, OverlapFailure):
            yield from switched_once(best, {lane.number: lane.points for lane in failure.lanes})

    def _renumbered(self, best: Operations) -> Iterator[Operations]:
        numbers = {old: new for new, (old, _) in enumerate(best, 1)}
        if any(old != new for old, new in numbers.items()):
            yield tuple(
                (numbers[old], operation.mapped(lambda atom: renumber(atom, numbers)))
                for old, operation in best
            )

    def _simplified(self, best: Operations) -> Iterator[Operations]:
        choices = self._choices(best)
        for place, (_, operation) in enumerate(best):
            for name, values in choices[place].items():
                for value in before(operation.arguments()[name], values):
                    yield with_argument(best, place, name, value)

    def _renamed(self, best: Operations) -> Iterator[Operations]:
        for old, values in places(best, self._choices(best)):
            for value in before(old, values):
                yield with_value(best, old, value)

    def _changed_and_shorter(self, best: Operations) -> Iterator[Operations]:
        choices = self._choices(best)
        for gone, rest in enumerate(shorter(best)):
            kept = [*choices[:gone], *choices[gone + 1 :]]
            for place, (_, operation) in enumerate(rest):
                for name, values in kept[place].items():
                    for value in others(operation.arguments()[name], values):
                        yield with_argument(rest, place, name, value)
            for old, values in places(rest, kept):
                for value in others(old, values):
                    yield with_value(rest, old, value)

    def _swapped(self, best: Operations) -> Iterator[Operations]:
        """Put in the place of an operation one that names fewer handles: others can go then."""
        for place, could_be in enumerate(self._options(best)):
            most = bindings(best[place][1])
            for other in could_be:
                if bindings(other) < most:
                    yield with_operation(best, place, other)

    def _swapped_and_shorter(self, best: Operations) -> Iterator[Operations]:
        """Leave out one operation, and replace a second one.

        The last keeps its kind, unless the failure is found by the check after the run.
        """
        last = len(best) - 1
        for place, could_be in enumerate(self._options(best)):
            for other in could_be:
                if place < last or self.header.round_trip or other.kind == best[last][1].kind:
                    yield from shorter(with_operation(best, place, other), kept=(place, last))

    def _options(self, best: Operations) -> Sequence[Sequence[Operation]]:
        """Return the operations that could have come at each step.

        If these are many, only those of values that occur, and with one other value those of kinds
        that do.
        """
        if self.scenario is None:
            return []
        lacks = self.runs.target.lacks
        found = self._at_each(best, self.scenario.rules(lacks), _operations)
        if max(map(len, found), default=0) <= OPTIONS_MAX:
            return found
        operations = [operation for _, operation in best]
        return self._at_each(best, nearly(self.scenario, operations, lacks), _operations)

    def _any_shorter(self, best: Operations) -> Iterator[Operations]:
        """Yield all sequences that are shorter by one and end alike, if they are few.

        Where much can come at once, they are of values that occur, as in _options.
        """
        if self.scenario is None or len(best) <= 1:
            return
        target, kind = self.runs.target, best[-1][1].kind
        make = partial(target.new_model, self.header.settings)
        rules = self.scenario.rules(target.lacks)
        first = _operations(Now(make()), None, rules)
        if len(first) > OPTIONS_MAX:
            scenario = narrowed(self.scenario, [operation for _, operation in best])
            rules = scenario.rules(target.lacks)
            first = _operations(Now(make()), None, rules)
        # What cannot come first may well come last.
        last = max(1, sum(operation.kind == kind for operation in first))
        if len(first) ** (len(best) - 2) * last <= SEQUENCES_MAX:
            yield from islice(sequences(make, rules, len(best) - 1, kind), SEQUENCES_MAX)

    def _choices(self, best: Operations) -> Choices:
        """Return what the rules could have drawn as arguments of each step."""
        rules = self.scenario.rules(self.runs.target.lacks) if self.scenario else []
        found = self._at_each(best, rules, _values_at) if rules else []
        unknown = [dict.fromkeys(operation.names, ()) for _, operation in best[len(found) :]]
        return [*found, *unknown]

    def _at_each(self, best: Operations, rules: Sequence[Rule], look: Look[T]) -> list[T]:
        """Return what `look` returns before each step.

        Ends at a step that diverges here, though it did not when the whole trace was replayed.
        """
        found: list[T] = []
        with (
            suppress(Divergence),  # of a system that fails when it is closed
            self.runs.begin(self.header) as lockstep,
        ):
            now = lockstep.now
            for number, operation in best:
                now.step = number
                found.append(look(now, operation, rules))
                if len(found) < len(best):
                    try:
                        lockstep.step(number, operation)
                    except (Divergence, *UNPLAYED):
                        break
        return found

    def _text(self, operations: Operations) -> bytes:
        """Return a trace as its lines, in which 1 and True differ, which Python calls equal."""
        return Trace(self.header, operations).encoded()


def _operations(now: Now, _: object, rules: Sequence[Rule]) -> list[Operation]:
    return [option.operation for option in options(rules, now)]


def _values_at(now: Now, operation: Operation, rules: Sequence[Rule]) -> dict[str, list[object]]:
    """Return, for each argument of an operation, what the rules that make it could give now.

    An argument that a rule makes of several pools has its items under user.0, user.1.
    """
    values: dict[str, list[object]] = {name: [] for name in operation.names}
    for rule in rules:
        if type(operation) is rule.operation:
            for name, pool in rule.pools:
                for value in pool.values(now):
                    for each, one in rule.given_by(name, value).items():
                        values.setdefault(each, []).append(one)
            for name, value in rule.fixed.items():
                values[name].append(value)
    return values
