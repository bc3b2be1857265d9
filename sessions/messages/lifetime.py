"""How long a message matters: as long as the session that accepted it, unless it is stopped."""

from __future__ import annotations

from sessions.clock import Clock, sleep_until
from sessions.errors import ThreadEndedError
from sessions.queue.message import Message
from sessions.registry import Registry


class Lifetimes:
    """Tells whether the session of a message lives, and waits for its end."""

    def __init__(self, registry: Registry, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock
        self._stopped: set[int] = set()  # by their number, until they are gone

    def is_over(self, message: Message) -> bool:
        return self._due_at_s(message) is None

    def check(self, message: Message) -> None:
        """Raise ThreadEndedError if nobody is to hear more of a message.

        Its session has ended, as what is due is gone; or it was stopped, as the end of its handling
        can take a while.
        """
        if message.used in self._stopped:
            raise ThreadEndedError(f"the run {message.context.run_id!r} was stopped")
        if self.is_over(message):
            raise ThreadEndedError(
                f"the session of thread {message.key.thread_id!r} that accepted this has ended"
            )

    def stop(self, message: Message) -> None:
        """Let nothing more be told of a message."""
        self._stopped.add(message.used)

    def forget(self, message: Message) -> None:
        """Forget that a message was stopped: its handling has ended."""
        self._stopped.discard(message.used)

    async def until_over(self, message: Message) -> None:
        """Return when the session is due, however often that is put off, or has ended else."""
        while (due_at_s := self._due_at_s(message)) is not None:
            await sleep_until(self._clock, due_at_s)

    def _due_at_s(self, message: Message) -> float | None:
        return self._registry.due_at_s(message.key, message.session_number)
