"""Handle stop_agent, which waits for nothing."""

from __future__ import annotations

from collections.abc import Callable, Coroutine

from sessions.errors import BadMessageError
from sessions.ids import IsolationKey
from sessions.messages.message import AGENT_REQUESTS, Message, Queued
from sessions.queue import MessageQueue, QueueWorker
from sessions.registry import Registry
from sessions.router import Router
from sessions.tasks import Tasks


class StopAgentHandler:
    """Ends the agent request that a thread is at, running or resting before a retry."""

    def __init__(
        self,
        queue: MessageQueue,
        worker: QueueWorker,
        registry: Registry,
        router: Router,
        tasks: Tasks,
        stop: Callable[[Message], Coroutine[object, object, None]],
    ) -> None:
        self._queue = queue
        self._worker = worker
        self._registry = registry
        self._router = router
        self._tasks = tasks
        self._stop = stop

    def running(self, key: IsolationKey) -> Queued:
        """Return the request to stop; raises BadMessageError (nothing_to_stop)."""
        queued = self._queue.first(key)
        if queued and queued.message.kind in AGENT_REQUESTS and self._has_begun(queued):
            return queued
        raise BadMessageError("nothing_to_stop", "no agent runs on this thread")

    def stop(self, queued: Queued, message: Message) -> None:
        """Cancel a request, and tell its thread, on the context of the message that stops it.

        That it is not taken up again after a start is stored beside that.
        """
        giving_up = self._stop(queued.message)
        self._worker.cancel(queued)
        self._tasks.start(giving_up, "end of a stopped request")
        self._router.publish(message, "agent_stopped", {})

    def _has_begun(self, queued: Queued) -> bool:
        worker = self._worker
        tried = queued.failures > 0 or worker.is_at(queued)
        return tried and not worker.is_ending(queued) and not self._registry.is_over(queued.message)
