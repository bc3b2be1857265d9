"""Free, from time to time, what is due."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from sessions.clock import sleep_until
from sessions.dependencies import Dependencies

logger = logging.getLogger(__name__)


class Sweeper:
    """The background sweep: one task, every sweep_interval_s seconds from its start.

    It goes on after a sweep that raised, and counts it (the contract, Connections and managers).
    logged are the exceptions of which the log has what there is to know, when they are raised.
    """

    def __init__(
        self,
        dependencies: Dependencies,
        sweep: Callable[[], Awaitable[None]],
        logged: tuple[type[Exception], ...] = (),
    ) -> None:
        self._dependencies = dependencies
        self._sweep = sweep
        self._logged = logged
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to sweep; raises RuntimeError if it has begun already."""
        if self._task is not None:
            raise RuntimeError("the sweep is running; stop it before you start it again")
        self._task = self._dependencies.tasks.start(self._run(), "sweep")

    async def stop(self) -> None:
        """End the sweep, and wait for its end; does nothing if it is not running."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
            self._task = None

    async def _run(self) -> None:
        next_at_s = self._dependencies.clock.now()
        while True:
            next_at_s += self._dependencies.settings.sweep_interval_s
            await sleep_until(self._dependencies.clock, next_at_s)
            await self._sweep_once()

    async def _sweep_once(self) -> None:
        try:
            await self._sweep()
        except Exception as error:  # the next sweep may free what this one could not
            self._dependencies.metrics.sweep_errors += 1
            if not isinstance(error, self._logged):
                logger.exception("sweep raised; the next one is in its time")
