"""How many bugs more workers find, and how often they find the same: a simulation.

Bugs are met at random, each with a rate of its own. Each worker plays slices, and learns of what
others have found between them only: until then it minimises the same failure again.
"""

from __future__ import annotations

from random import Random

BUGS = 60
SLICE_S = 60.0
NIGHT_S = 1_800.0
MINIMISING_S = 10.0
SEEDS = 20


def rates(random: Random) -> list[float]:
    """Return how often each bug comes in a second: from one in ten to one in 10**6."""
    return [10 ** -random.uniform(1, 6) for _ in range(BUGS)]


def night(workers: int, random: Random) -> tuple[int, int]:
    """Return how many bugs are found in a night, and how many are found again, and minimised."""
    found: set[int] = set()
    again = 0
    every = rates(random)
    for _ in range(int(NIGHT_S / SLICE_S)):
        finds = [slice_of(every, found, random) for _ in range(workers)]
        together = set().union(*finds)
        again += sum(map(len, finds)) - len(together)
        found |= together
    return len(found), again


def slice_of(every: list[float], known: set[int], random: Random) -> set[int]:
    """Return the bugs that one worker finds in a slice, each of which takes from its time."""
    comes = sorted(
        (random.expovariate(rate), bug) for bug, rate in enumerate(every) if bug not in known
    )
    left_s, found = SLICE_S, set[int]()
    for at_s, bug in comes:
        if at_s + len(found) * MINIMISING_S > left_s:
            break
        found.add(bug)
    return found


def main() -> None:
    """Print a row for each number of workers."""
    print("workers  bugs found  found again  time minimising in vain")
    for workers in (1, 2, 10, 100):
        nights = [night(workers, Random(f"{workers}/{seed}")) for seed in range(SEEDS)]
        bugs = sum(found for found, _ in nights) / SEEDS
        again = sum(more for _, more in nights) / SEEDS
        vain = 100 * again * MINIMISING_S / (workers * NIGHT_S)
        print(f"{workers:7}  {bugs:10.1f}  {again:11.1f}  {vain:22.1f}%")


if __name__ == "__main__":
    main()
