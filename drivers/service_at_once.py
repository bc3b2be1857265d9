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
    exchange = own.get("exchange")
    if not isinstance(exchange, Exchange):
        before = live()
        await work
        return with_new_ids(before, live(), own)
    looks: list[Live] = []
    is_taken = asyncio.Event()

    def look() -> None:
        if not is_taken.is_set():
            looks.append(live())
            is_taken.set()

    exchange.on_begin = lambda: looks.append(live())
    exchange.on_wait = look
    await work
    await asyncio.sleep(0)  # its task is the next, and then this one
    await is_taken.wait()  # but where tasks are reordered
    before, now = looks
    return with_new_ids(before, now, own)


def with_new_ids(before: Live, now: Live, own: dict[str, object]) -> object:
    """Return an outcome with the ids of the session that is new, or has another run."""
    for key, run in now.items():
        if before.get(key) != run:
            own |= {"thread": key.thread_id, "run": run}
    return own or None
