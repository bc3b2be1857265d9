"""How long a message matters: as long as the session that accepted it."""

from __future__ import annotations

from sessions.clock import Clock, sleep_until
from sessions.errors import ThreadEndedError
from sessions.messages.message import Message
from sessions.registry import Registry


class Lifetimes:
    """Tells whether the session of a message lives, and waits for its end."""

    def __init__(self, registry: Registry, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock

    def is_over(self, message: Message) -> bool:
        return self._due_at_s(message) is None

    def check(self, message: Message) -> None:
        """Raise ThreadEndedError if the session has ended: what is due is gone."""
        if self.is_over(message):
            raise ThreadEndedError(
                f"the session of thread {message.key.thread_id!r} that accepted this has ended"
            )

    async def until_over(self, message: Message) -> None:
        """Return when the session is due, however often that is put off, or has ended else."""
        while (due_at_s := self._due_at_s(message)) is not None:
            await sleep_until(self._clock, due_at_s)

    def _due_at_s(self, message: Message) -> float | None:
        return self._registry.due_at_s(message.key, message.session_number)
