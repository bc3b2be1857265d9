"""Chance: whether a failing trace fails each time, and how to minimise one that does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from ..failure import Failure, Signature
from ..lockstep.run import Runs, replay
from ..minimise.fixpoint import Again, Minimised, minimise, never
from ..scenario import Scenario
from ..shown import without_addresses
from ..trace import Header, Numbered, Trace

PLAYS = 5  # of a failure before it is minimised, and of what is shown as minimal
PLAYS_MAX = 10  # of a trace that does not fail each time: enough for a rate
VOTES = 20  # plays of each candidate of one: two that fail are no mere accident
STEADY_PLAYS = 20  # of the least form of such a trace, to be taken for steady all the same
VOTE_STEPS_MAX = 30_000  # played in one minimising by votes: little more than by 500 runs
TEXT_MAX = 200  # characters of what came in one play
BY_CHANCE = "by chance"
TIME_OVER = "not minimised to the end: the time was over"
AFTER_A_RESET = "after a reset"
LEFT_BEHIND = (
    "it did not fail on a system made anew: the driver's reset() leaves something of earlier runs, "
    "or it fails by chance"
)


@dataclass(frozen=True, slots=True)
class Plays:
    """What came of playing one trace so many times, each on a system made anew.

    `differs` is the first thing that differs between two plays, or "".
    """

    failed: int
    played: int
    differs: str = ""

    @property
    def is_steady(self) -> bool:
        """Return whether it failed with the same signature each time."""
        return self.failed == self.played

    def notes(self) -> tuple[str, ...]:
        """Return the notes for a reader; none where all plays were alike."""
        if self.is_steady:
            text = f"the system's answer differs from play to play: {self.differs}"
            return (text,) if self.differs else ()
        rate = f"it fails in {self.failed} of {self.played} plays of this trace"
        first = f"what differs first between two plays: {self.differs}"
        return (f"not deterministic: {rate}", *((first,) if self.differs else ()))


@dataclass(frozen=True, slots=True)
class Least:
    """The smallest trace of a failure, how it fails, and the replays it took: 0 if not minimised.

    `doubt` says why it cannot represent its signature: BY_CHANCE, AFTER_A_RESET, or "" where it
    fails each time. `notes` explain that to a reader. `is_cut` says that the time was over.
    """

    trace: Trace
    failure: Failure
    replays: int
    doubt: str = ""
    notes: tuple[str, ...] = ()
    is_cut: bool = False


@dataclass(slots=True)
class Votes:
    """Plays each candidate up to `plays_max` times: it fails if `needed` of these plays do.

    Stops as soon as that is decided. `known` is the failure of the whole trace, which needs no vote
    where its rate is known. After `steps_left` steps, every candidate counts as passing.
    """

    signature: Signature
    needed: int
    plays_max: int
    known: Failure | None = None
    steps_left: int = VOTE_STEPS_MAX

    def __call__(
        self, runs: Runs, header: Header, operations: Iterable[Numbered]
    ) -> Failure | None:
        """Return the longest failure seen, if enough plays fail: what comes later may fail too."""
        trace = tuple(operations)
        known, self.known = self.known, None  # the whole is the first that is tried
        if known is not None:
            return known
        failures: list[Failure] = []
        for passed in range(self.plays_max):
            missing = self.needed - len(failures)
            if missing > self.plays_max - passed or self.steps_left <= 0:
                return None
            self.steps_left -= 1 + len(trace)
            failure = replay(runs, header, trace, anew=True)
            if failure is not None and failure.signature == self.signature:
                failures.append(failure)
            if len(failures) >= self.needed:
                return max(failures, key=lambda each: len(each.steps))
        return None


def least_of(
    trace: Trace,
    failure: Failure,
    runs: Runs,
    scenario: type[Scenario[Any]] | None,
    *,
    is_doubted: bool = False,
    is_over: Callable[[], bool] = never,
) -> Least:
    """Play a failing trace again, minimise it, and play the result again.

    A trace that fails each time is minimised to one that fails each time. Any other is minimised by
    votes: a candidate counts if it fails at least half as often as the whole trace, and at least
    twice. If the signature `is_doubted`, because it was seen to fail by chance, each candidate has
    to fail in all of PLAYS_MAX plays. When time `is_over`, the result is the best so far.
    """
    signature = failure.signature
    whole = play_again(trace, failure, runs, is_over=is_over)
    if not whole.is_steady:
        return _by_votes(trace, failure, runs, scenario, whole, is_over)
    if not is_doubted:
        plain = _tried(trace, failure, runs, scenario, replay, is_over)
        if plain is not None:
            return plain
    votes = Votes(signature, PLAYS_MAX, PLAYS_MAX)
    wary = _tried(trace, failure, runs, scenario, votes, is_over)
    if wary is None:
        whole = play_again(trace, failure, runs, at_least=PLAYS_MAX)
        return _by_votes(trace, failure, runs, scenario, whole, is_over)
    if wary.is_cut:
        return wary
    # From a short trace chance leads astray no more, and a plain replay allows more passes.
    return _tried(wary.trace, wary.failure, runs, scenario, replay, is_over) or wary


def _tried(
    trace: Trace,
    failure: Failure,
    runs: Runs,
    scenario: type[Scenario[Any]] | None,
    again: Again,
    is_over: Callable[[], bool],
) -> Least | None:
    """Minimise, and return the least if it fails each time it is played; None if it does not.

    When time is over, the best so far, marked as cut.
    """
    least = minimise(trace, failure.signature, runs, scenario, again, is_over)
    found = None if is_over() else _confirmed(least, runs, is_over)
    if found is not None or not is_over():
        return found
    best = Least(trace, failure, 0, notes=(TIME_OVER,), is_cut=True)
    if least.failure is None:
        return best
    return replace(best, trace=least.trace, failure=least.failure, replays=least.replays)


def play_again(
    trace: Trace,
    failure: Failure,
    runs: Runs,
    *,
    at_least: int = PLAYS,
    is_over: Callable[[], bool] = never,
) -> Plays:
    """Play a failing trace `at_least` times, or PLAYS_MAX times if it does not fail alike each
    time.

    Fewer when time `is_over`: a play that was cut short, as a hunt for leaks is, proves nothing.
    """
    seen: list[Failure | None] = []
    failed = 0
    while len(seen) < (at_least if failed == len(seen) else PLAYS_MAX) and not is_over():
        again = replay(runs, trace.header, trace.operations, anew=True)
        if not is_alike(failure, again) and is_over():
            break
        seen.append(again)
        failed += is_alike(failure, again)
    differs = (first_difference(failure, other) for other in seen)
    return Plays(failed, len(seen), next(filter(None, differs), ""))


def first_failure(trace: Trace, runs: Runs) -> Failure | None:
    """Return how a trace fails in the first of PLAYS_MAX plays that does; None where none does."""
    plays = (replay(runs, trace.header, trace.operations, anew=True) for _ in range(PLAYS_MAX))
    return next(filter(None, plays), None)


def fails_each_time(trace: Trace, failure: Failure, runs: Runs) -> bool:
    """Return whether a trace fails alike in PLAYS_MAX plays; the first that does not ends them."""
    return all(
        is_alike(failure, replay(runs, trace.header, trace.operations, anew=True))
        for _ in range(PLAYS_MAX)
    )


def is_alike(one: Failure, other: Failure | None) -> bool:
    """Return whether two plays have failed with the same signature."""
    return other is not None and other.signature == one.signature


def first_difference(one: Failure, other: Failure | None) -> str:
    """Return the first step whose outcome differs between two plays of a trace, with both outcomes.

    "" where the plays were alike. `other` is None where that play agreed with the model to its end:
    up to its own disagreement, each play has the outcomes that the model expects.
    """
    place = min(len(each.steps) for each in (one, other) if each is not None) - 1
    step = one.steps[place]
    ours, theirs = _outcome_at(one, place), _outcome_at(other, place)
    if ours == theirs:
        return ""
    is_outcome = "outcome" in [each.disagreement.of for each in (one, other) if each is not None]
    agreed = str(step.expected) if is_outcome else "the same as the model"
    sides = [agreed if side is None else side for side in (ours, theirs)]
    return f"step {step}: {' and '.join(map(_cut, sides))}"


def _outcome_at(failure: Failure | None, place: int) -> str | None:
    """Return the outcome of a play at a step, or None where it agreed with the model there."""
    if failure is None or place + 1 < len(failure.steps):
        return None
    if failure.is_after_run:  # of how much grew, no two plays need tell the same
        return f"{failure.signature} after the run"
    of, actual = failure.disagreement.of, failure.disagreement.actual
    return without_addresses(str(actual) if of == "outcome" else f"{of} {actual}")


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_MAX else f"{text[:TEXT_MAX]}..."


def _confirmed(least: Minimised, runs: Runs, is_over: Callable[[], bool]) -> Least | None:
    """Return what was minimised, if it fails each time it is played."""
    if least.failure is None:
        return None
    plays = play_again(least.trace, least.failure, runs, is_over=is_over)
    if not plays.is_steady or plays.played < PLAYS:
        return None
    return Least(least.trace, least.failure, least.replays, notes=plays.notes())


def _by_votes(
    trace: Trace,
    failure: Failure,
    runs: Runs,
    scenario: type[Scenario[Any]] | None,
    whole: Plays,
    is_over: Callable[[], bool],
) -> Least:
    """Minimise a trace that fails by chance, and note how often the least one fails.

    A least one that fails in all of STEADY_PLAYS plays is a steady failure after all: the plays of
    the whole trace were ended by another one.
    """
    if not whole.failed and runs.resets:
        return Least(trace, failure, 0, AFTER_A_RESET, (LEFT_BEHIND,))
    votes = Votes(failure.signature, max(2, whole.failed), VOTES, known=failure)
    if whole.failed:
        least = minimise(trace, failure.signature, runs, scenario, votes, is_over)
        if least.failure is not None:
            plays = play_again(least.trace, least.failure, runs, at_least=STEADY_PLAYS)
            if plays.failed:
                doubt = "" if plays.is_steady else BY_CHANCE
                return Least(least.trace, least.failure, least.replays, doubt, plays.notes())
    return Least(trace, failure, 0, BY_CHANCE, whole.notes())
