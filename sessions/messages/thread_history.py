"""Handle get_thread_history."""

from __future__ import annotations

from sessions.event import Json
from sessions.messages.message import Queued
from sessions.router import Router
from sessions.storage.tables import Turn
from sessions.storage.turn_store import TurnStore


class ThreadHistoryHandler:
    """Answers with the latest turns of the message's own thread."""

    def __init__(self, turns: TurnStore, router: Router) -> None:
        self._turns = turns
        self._router = router

    async def handle(self, queued: Queued) -> None:
        message = queued.message
        limit = message.payload["limit"]
        assert isinstance(limit, int)  # checked when it was taken in
        turns = await self._turns.latest_turns(message.context, limit)
        fields: dict[str, Json] = {"turns": [shown_turn(turn) for turn in turns]}
        self._router.answer(message, "thread_history", fields)


def shown_turn(turn: Turn) -> Json:
    """Return what a user sees of a turn."""
    return {
        "position": turn.position,
        "role": turn.role,
        "text": turn.text,
        "message_id": turn.message_id,
        "run_id": turn.run_id,
        "at_s": turn.at_s,
    }
