"""What a known bug costs: runs until a bug behind it is found, with and without going round.

Run as `uv run python -m tests.bench.known`. Three pairs of mutants are put into one store each: one
that ends half of all runs or more, and one behind it. For each: the share of steps that are played
in runs which the known bug does not end, and the runs until the other is found; the median of
SEEDS seeds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from statistics import median

from threadline.campaign.mutant import Mutant
from threadline.contracts.conversation_store import Store
from threadline.loading import Target
from threadline.lockstep.run import Batch, Runs
from threadline.minimise.fixpoint import minimise
from threadline.search.explore import Explorer
from threadline.trace import Header, Recorder

from tests.mutants import store

SEEDS = range(20)
RUNS_MAX = 2_000
WATCHED = 300  # runs in which the share of steps is measured


@dataclass(frozen=True, slots=True)
class Pair:
    """A bug that is met soon and often, and one behind it."""

    known: Mutant
    behind: Mutant

    @property
    def both(self) -> Mutant:
        return replace(self.known, also=self.behind.changes)


PAIRS = (
    Pair(store.ClearLeavesOne, store.DeletesByPrefix),
    Pair(store.ReadingCreates, store.LimitTakesTheOldest),
    Pair(store.TrimsOnWrite, store.OrderLostOnReopen),
)


def explorer(system: Mutant, seed: int) -> tuple[Explorer, Runs]:
    target = Target("bench", system, system.driver)
    runs = Runs(target, Recorder(None))
    return Explorer(
        Store, runs, Header(target.model.name, target.name, seed=seed, steps_max=50)
    ), runs


def signatures(system: Mutant, seed: int) -> set[str]:
    """Return every signature by which a bug shows itself when nothing is behind it."""
    return {str(batch.failure.signature) for batch in played(system, seed) if batch.failure}


def played(system: Mutant, seed: int) -> Iterator[Batch]:
    return islice(explorer(system, seed)[0].batches(), RUNS_MAX)


def going_round(pair: Pair, seed: int, known: set[str]) -> Iterator[Batch]:
    """Play a system with both bugs, going round each signature of the first one once it is met."""
    search, runs = explorer(pair.both, seed)
    round_now: dict[str, int] = {}
    for batch in islice(search.batches(), RUNS_MAX):
        yield batch
        name = str(batch.failure.signature) if batch.failure else ""
        if batch.failure and name in known and round_now.get(name, 0) < 1:
            round_now[name] = round_now.get(name, 0) + 1
            least = minimise(batch.trace(), batch.failure.signature, runs, Store)
            search.go_round(name, least.trace.operations)


def runs_until_new(batches: Iterator[Batch], known: set[str]) -> int:
    """Return the run in which something fails that is not known; RUNS_MAX if none does."""
    for number, batch in enumerate(batches, 1):
        if batch.failure and str(batch.failure.signature) not in known:
            return number
    return RUNS_MAX


def share(batches: Iterator[Batch], known: set[str]) -> float:
    """Return the share of steps in runs that no known bug ends."""
    free = total = 0
    for batch in islice(batches, WATCHED):
        total += batch.steps
        if not batch.failure or str(batch.failure.signature) not in known:
            free += batch.steps
    return free / total


def main() -> None:
    print(f"{'known':<20}{'behind it':<22}{'ends':>6}{'free before':>12}{'free':>6}", end="")
    print(f"{'alone':>7}{'before':>8}{'now':>6}")
    for pair in PAIRS:
        rows = [measured(pair, seed) for seed in SEEDS]
        ends, before, free, alone, hidden, found = (
            median(column) for column in zip(*rows, strict=True)
        )
        print(
            f"{pair.known.name:<20}{pair.behind.name:<22}{ends:>6.0%}{before:>12.0%}",
            end="",
        )
        print(f"{free:>6.0%}{alone:>7.0f}{hidden:>8.0f}{found:>6.0f}")


def measured(pair: Pair, seed: int) -> tuple[float, ...]:
    """Return what one seed gives, in the order of the table's columns."""
    known = signatures(pair.known, seed)
    first = list(islice(explorer(pair.known, seed)[0].batches(), WATCHED))
    return (
        sum(batch.failure is not None for batch in first) / WATCHED,
        share(explorer(pair.both, seed)[0].batches(), known),
        share(going_round(pair, seed, known), known),
        runs_until_new(played(pair.behind, seed), set()),
        runs_until_new(played(pair.both, seed), known),
        runs_until_new(going_round(pair, seed, known), known),
    )


if __name__ == "__main__":
    main()
