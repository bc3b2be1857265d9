"""The scores of what an agent answered lately on one thread."""

from __future__ import annotations

from typing import NamedTuple

from sessions.clock import Clock
from sessions.context import UserExecutionContext
from sessions.quality.scoring import score_of_answer
from sessions.storage.turn_store import TurnStore

HOUR_S = 3_600


class ScoredAnswer(NamedTuple):
    """The position of an agent's turn, and its score."""

    position: int
    score: int


class Answers:
    """Scores the agent's turns of a context's thread, and of no other."""

    def __init__(self, turns: TurnStore, clock: Clock) -> None:
        self._turns = turns
        self._clock = clock

    async def scored(self, context: UserExecutionContext, hours: int) -> list[ScoredAnswer]:
        """Return the answers of less than so many hours ago, oldest first.

        Raises PoolTimeoutError, and what the database raises.
        """
        since_s = self._clock.now() - hours * HOUR_S
        turns = await self._turns.agent_turns_since(context, since_s)
        return [ScoredAnswer(turn.position, score_of_answer(turn.text)) for turn in turns]
