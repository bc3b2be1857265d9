"""Goals: which of a scenario's have been met in the runs so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..goal import Goal
from ..lockstep.lockstep import Lockstep, Record
from ..lockstep.outcomes import ModelError
from ..lockstep.run import Follower
from ..operation import Operation
from ..pool import Now


class Goals:
    """Follows runs, and strikes out each goal that is met: before a step, or at the end."""

    def __init__(self, goals: Iterable[Goal]) -> None:
        self._open = list(goals)
        self._now: Now | None = None
        self._step = 0

    @property
    def unmet(self) -> list[str]:
        """The goals that no run has met, in words."""
        return [goal.text for goal in self._open]

    def begin(self, header: bytes, now: Now, record: Record) -> Record:  # noqa: ARG002  # as a follower
        """Return what to call in place of `record`, before each step of a run that begins."""
        self._now, self._step = now, 0
        if not self._open:
            return record

        def look(number: int, operation: Operation) -> None:
            self._look(number)
            record(number, operation)

        return look

    def end(self, lockstep: Lockstep) -> None:
        """Look at the end of a run, unless it has failed: its model was asked too much, maybe."""
        if not lockstep.has_diverged:
            self._look(self._step + 1)
        self._now = None

    def _look(self, step: int) -> None:
        if self._now is None:
            return  # the run is over, and torn down
        self._step = step
        here = Now(self._now.model, step)
        self._open = [goal for goal in self._open if not _is_met(goal, here)]


def _is_met(goal: Goal, now: Now) -> bool:
    try:
        return bool(goal.holds(now))
    except Exception as error:
        raise ModelError(f"the goal {goal.text!r} raised {error!r}") from error


def followed(*each: Follower) -> Follower:
    """Return several followers as one."""
    return each[0] if len(each) == 1 else Followers(each)


@dataclass(frozen=True, slots=True)
class Followers:
    """Several followers as one."""

    each: Sequence[Follower]

    def begin(self, header: bytes, now: Now, record: Record) -> Record:
        """Return what calls each of them before a step."""
        for follower in self.each:
            record = follower.begin(header, now, record)
        return record

    def end(self, lockstep: Lockstep) -> None:
        """Call `end` of each follower: the run is over."""
        for follower in self.each:
            follower.end(lockstep)
