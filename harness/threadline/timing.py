"""A timing: how an operation runs beside others: its begin, its I/O, where it is cancelled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .printable import quoted

ALONE = "alone"  # once everything before it is over
DURING = "during"  # while those before it go on: when they have gone as far as they can for now
WITH = "with"  # in the same moment as the one before it
BEGINS = (ALONE, DURING, WITH)
POINTS_MAX = 1_000  # of one operation that can be named; our choice
TICKS_MAX = 1_000  # that one I/O can take; our choice


@dataclass(frozen=True, slots=True)
class Timing:
    """How one operation runs beside others; empty, it is called and runs to its end alone.

    `begins` is ALONE, DURING or WITH. `delays` are pairs: the n-th I/O of the operation, from 1, is
    done k ticks later than it could be. A tick is one more operation that begins; no virtual time
    passes. With k below 0 the I/O itself is done at once, and its answer is |k| ticks late. Where
    `cancelled_at` is n, the caller is cancelled while the n-th I/O is under way; where it is -k, k
    ticks after the begin, whatever he waits for then.
    """

    begins: str = ALONE
    delays: tuple[tuple[int, int], ...] = ()
    cancelled_at: int = 0

    @property
    def entries(self) -> int:
        """How much is said here: what a minimised trace has as little of as can be."""
        return (self.begins != ALONE) + len(self.delays) + (self.cancelled_at != 0)

    def delay(self, point: int) -> int:
        """Return by how many ticks the I/O of this number is late."""
        return next((ticks for number, ticks in self.delays if number == point), 0)

    def simpler(self) -> Iterator[Timing]:
        """Yield the timings that say less, the simplest first."""
        if self == CALM:
            return
        yield CALM
        if self.begins != ALONE:
            yield replace(self, begins=ALONE)
        if self.cancelled_at:
            yield replace(self, cancelled_at=0)
        for place in range(len(self.delays)):
            yield replace(self, delays=self.delays[:place] + self.delays[place + 1 :])
        if self.begins == WITH:
            yield replace(self, begins=DURING)
        for place, (number, ticks) in enumerate(self.delays):
            for fewer in dict.fromkeys((1, abs(ticks) - 1)):
                if 0 < fewer < abs(ticks) or (fewer == -ticks):
                    changed = ((number, fewer),)
                    yield replace(
                        self, delays=self.delays[:place] + changed + self.delays[place + 1 :]
                    )

    def as_json(self) -> dict[str, object]:
        """Return what a trace has of it: only what is not as in a calm one."""
        found: dict[str, object] = {}
        if self.begins != ALONE:
            found["begins"] = self.begins
        if self.delays:
            found["delays"] = {str(number): ticks for number, ticks in self.delays}
        if self.cancelled_at:
            found["cancelled_at"] = self.cancelled_at
        return found

    def __str__(self) -> str:
        said = [f"begins {self.begins} the one before"] if self.begins != ALONE else []
        for number, ticks in self.delays:
            what = "" if ticks > 0 else "the answer of "
            said.append(f"{what}I/O {number} comes {abs(ticks)} later")
        if self.cancelled_at > 0:
            said.append(f"cancelled in I/O {self.cancelled_at}")
        if self.cancelled_at < 0:
            said.append(f"cancelled {-self.cancelled_at} after its begin")
        return ", ".join(said)


CALM = Timing()


def timing_from_json(value: object) -> Timing:
    """Return the timing that `as_json` made this of; raises ValueError for anything else."""
    if not isinstance(value, Mapping) or value.keys() - {"begins", "delays", "cancelled_at"}:
        advice = 'write {"begins": "during", "delays": {"1": 2}}'
        raise ValueError(f"{quoted(repr(value))} is no timing; {advice}")
    begins = value.get("begins", ALONE)
    if begins not in BEGINS:
        raise ValueError(f"begins is {quoted(repr(begins))}; write {', '.join(BEGINS)}")
    cancelled_at = value.get("cancelled_at", 0)
    if type(cancelled_at) is not int or not -TICKS_MAX <= cancelled_at <= POINTS_MAX:
        raise ValueError(
            f"cancelled_at is {quoted(repr(cancelled_at))}; write the number of an I/O, from 1, or "
            "ticks after the begin as a negative number"
        )
    return Timing(begins, _delays(value.get("delays", {})), cancelled_at)


def _delays(value: Any) -> tuple[tuple[int, int], ...]:
    if not isinstance(value, Mapping):
        raise ValueError(f'the delays are {quoted(repr(value))}; write {{"1": 2}}')
    found = []
    for point, ticks in value.items():
        is_point = isinstance(point, str) and point.isascii() and point.isdigit()
        if not is_point or not 1 <= int(point[:9]) <= POINTS_MAX:
            raise ValueError(f"no I/O has the number {quoted(repr(point))}; write one from 1")
        if type(ticks) is not int or not 1 <= abs(ticks) <= TICKS_MAX:
            raise ValueError(
                f"I/O {point} is {quoted(repr(ticks))} ticks late; write a whole number from 1 to "
                f"{TICKS_MAX:,}, negative where only the answer is late"
            )
        found.append((int(point), ticks))
    return tuple(sorted(found))
