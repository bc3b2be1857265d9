"""Shares: which entry of a campaign gets the next slice of time, and how long that is."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .entry import Entry, Slice
from .job import REPLAY

SLICE_MIN_S = 3.0  # beside which the start of a worker is little; our choice
SLICE_MAX_S = 60.0
ROUNDS = 4  # of slices that the time is enough for: most bugs are found in the first, by any entry
EVEN = 0.3  # of all time is shared evenly: what has found nothing yet may still
KEPT = 0.5  # of the rate so far, where a slice has shown another
LEAST_RATE = 1.0  # new states a second, of whoever finds less: it may find more; our choice
LINE, SIGNATURE = 2, 100  # what a new line and a new failure are worth, in new states; our choice


def slice_s(budget_s: float, workers: int, entries: int) -> float:
    """Return the length of a slice, such that each entry gets one within the budget."""
    each_s = budget_s * workers / max(1, entries)
    return min(each_s, max(SLICE_MIN_S, min(SLICE_MAX_S, each_s / ROUNDS)))


def learn(entry: Entry, part: Slice, spent_s: float) -> None:
    """Take into account what a slice of an entry has found in its time.

    The second failure of an entry is worth half of the first, and so on: each is the likelier one
    more face of a bug that was found already, and what is behind it is the less tried.
    """
    entry.spent_s += spent_s
    if part.job.engine == REPLAY:  # it searches for nothing
        return
    gain = part.new_states + LINE * part.new_lines + SIGNATURE * part.new_signatures
    rate = gain / max(spent_s, 0.1)
    entry.rate = rate if entry.rate is None else KEPT * entry.rate + (1 - KEPT) * rate


def next_entry(entries: Sequence[Entry]) -> Entry | None:
    """Return the entry that is owed most; one that is being played only where all others are.

    Each is owed an even part of EVEN of all time, and of the rest a part as large as the square
    root of what it has found for each second of late: a tenth of the finds is a third of the time.
    Where states are not followed, all that an entry finds are failures: one of these is no reason
    to play nothing else. None where all are broken.
    """
    whole = [entry for entry in entries if not entry.broken]
    if not whole:
        return None
    pays = {id(entry): math.sqrt(max(entry.rate or 0.0, LEAST_RATE)) for entry in whole}
    all_pay, spent_s = sum(pays.values()), sum(entry.spent_s for entry in whole) + 1.0

    def owed_s(entry: Entry) -> float:
        even, part = 1 / len(whole), pays[id(entry)] / all_pay
        return (EVEN * even + (1 - EVEN) * part) * spent_s - entry.spent_s

    return max(whole, key=lambda entry: (-len(entry.running), owed_s(entry)))
