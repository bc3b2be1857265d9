"""What begins a session while other operations go on, and the ids that are new by it alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeAlias

from drivers.service_exchanges import Exchange
from sessions.ids import IsolationKey

Live: TypeAlias = Mapping[IsolationKey, str]


async def act_at_once(
    live: Callable[[], Live], work: Coroutine[Any, Any, None], own: dict[str, object]
) -> object:
    """Send a frame, or an exchange's message, and return what is new of the live sessions.

    Either is taken in without a wait, so that nothing can come between the two looks.
    """
    before = [live()]
    exchange = own.get("exchange")
    if isinstance(exchange, Exchange):
        exchange.on_begin = lambda: before.append(live())
    await work
    if isinstance(exchange, Exchange):
        await asyncio.sleep(0)  # its task is the next, and then this one
    return with_new_ids(before[-1], live(), own)


def with_new_ids(before: Live, now: Live, own: dict[str, object]) -> object:
    """Return an outcome with the ids of the session that is new, or has another run."""
    for key, run in now.items():
        if before.get(key) != run:
            own |= {"thread": key.thread_id, "run": run}
    return own or None
