"""A timing: how an operation runs beside others: its begin, its I/O, where it is cancelled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from .printable import quoted

ALONE = "alone"  # once everything before it is over
DURING = "during"  # while those before it go on: when they have gone as far as they can for now
WITH = "with"  # in the same moment as the one before it
BEGINS = (ALONE, DURING, WITH)
POINTS_MAX = 1_000  # of one operation that can be named; our choice
TICKS_MAX = 1_000  # that one I/O can take; our choice
Late: TypeAlias = tuple[tuple[int, int], ...]  # pairs: the n-th of something is k ticks late


@dataclass(frozen=True, slots=True)
class Timing:
    """How one operation runs beside others; empty, it is called and runs to its end alone.

    `begins` is ALONE, DURING or WITH. `delays` are pairs: the n-th I/O of the operation, from 1, is
    done k ticks later than it could be. A tick is one more operation that begins; no virtual time
    passes. With k below 0 the I/O itself is done at once, and its answer is |k| ticks late. Where
    `cancelled_at` is n, the caller is cancelled while the n-th I/O is under way; where it is -k, k
    ticks after the begin, whatever he waits for then.

    `resumes` are pairs, too: the n-th time that a task of the operation is ready, it goes on k
    ticks later. asyncio lets it go on at once, so that only adversarial runs look at them.
    """

    begins: str = ALONE
    delays: Late = ()
    cancelled_at: int = 0
    resumes: Late = ()

    @property
    def entries(self) -> int:
        """How much is said here: what a minimised trace has as little of as can be."""
        said = (self.begins != ALONE) + (self.cancelled_at != 0)
        return said + len(self.delays) + len(self.resumes)

    def delay(self, point: int) -> int:
        """Return by how many ticks the I/O of this number is late."""
        return next((ticks for number, ticks in self.delays if number == point), 0)

    def resumed(self, time: int) -> int:
        """Return by how many ticks a task goes on later, the n-th time that one is ready."""
        return next((ticks for number, ticks in self.resumes if number == time), 0)

    def simpler(self) -> Iterator[Timing]:
        """Yield the timings that say less, the simplest first."""
        if self == CALM:
            return
        yield CALM
        if self.resumes:
            yield replace(self, resumes=())  # what is left needs no other scheduler
        if self.begins != ALONE:
            yield replace(self, begins=ALONE)
        if self.cancelled_at:
            yield replace(self, cancelled_at=0)
        for delays in _without_one(self.delays):
            yield replace(self, delays=delays)
        for resumes in _without_one(self.resumes):
            yield replace(self, resumes=resumes)
        if self.begins == WITH:
            yield replace(self, begins=DURING)
        for delays in _sooner(self.delays):
            yield replace(self, delays=delays)
        for resumes in _sooner(self.resumes):
            yield replace(self, resumes=resumes)

    def as_json(self) -> dict[str, object]:
        """Return what a trace has of it: only what is not as in a calm one."""
        found: dict[str, object] = {}
        if self.begins != ALONE:
            found["begins"] = self.begins
        if self.delays:
            found["delays"] = {str(number): ticks for number, ticks in self.delays}
        if self.cancelled_at:
            found["cancelled_at"] = self.cancelled_at
        if self.resumes:
            found["resumes"] = {str(number): ticks for number, ticks in self.resumes}
        return found

    def __str__(self) -> str:
        said = [f"begins {self.begins} the one before"] if self.begins != ALONE else []
        for number, ticks in self.delays:
            what = "" if ticks > 0 else "the answer of "
            said.append(f"{what}I/O {number} comes {abs(ticks)} later")
        said += [f"resumption {number} comes {ticks} later" for number, ticks in self.resumes]
        if self.cancelled_at > 0:
            said.append(f"cancelled in I/O {self.cancelled_at}")
        if self.cancelled_at < 0:
            said.append(f"cancelled {-self.cancelled_at} after its begin")
        return ", ".join(said)


CALM = Timing()


def _without_one(late: Late) -> Iterator[Late]:
    return (late[:place] + late[place + 1 :] for place in range(len(late)))


def _sooner(late: Late) -> Iterator[Late]:
    """Yield pairs of which one is less late, or not late in its answer alone."""
    for place, (number, ticks) in enumerate(late):
        for fewer in dict.fromkeys((1, abs(ticks) - 1)):
            if 0 < fewer < abs(ticks) or (fewer == -ticks):
                yield (*late[:place], (number, fewer), *late[place + 1 :])


def timing_from_json(value: object) -> Timing:
    """Return the timing that `as_json` made this of; raises ValueError for anything else."""
    known = {"begins", "delays", "cancelled_at", "resumes"}
    if not isinstance(value, Mapping) or value.keys() - known:
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
    delays, resumes = _late("delays", value), _late("resumes", value)
    if any(ticks < 0 for _, ticks in resumes):
        raise ValueError(
            "a task that is ready has no answer that could be late; write ticks from 1"
        )
    return Timing(begins, delays, cancelled_at, resumes)


def _late(name: str, said: Mapping[Any, Any]) -> Late:
    value = said.get(name, {})
    if not isinstance(value, Mapping):
        raise ValueError(f'the {name} are {quoted(repr(value))}; write {{"1": 2}}')
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
