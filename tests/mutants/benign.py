"""Session managers that hold more after a run than before it, as they may: none of them leaks."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections import OrderedDict, deque
from functools import lru_cache, partial
from queue import SimpleQueue

from threadline.campaign.mutant import Mutant

from scenarios.connections import Connections
from sessions.context import UserExecutionContext
from sessions.manager import Connector
from tests.mutants import sessions

TABLE = 40
LONG_S = 86_400.0
CREATE = "manager = self._factory.manager_of(context)"


def grower(name: str, bug: str, grow: str) -> Mutant:
    """Return a system that does this with each context that it connects."""
    return sessions.line(
        name,
        bug,
        "manager.Connector.connect",
        old=CREATE,
        new=f"from tests.mutants import benign\nbenign.{grow}\n{CREATE}",
        scenario=Connections,
    )


def keep_recent(connector: Connector, context: UserExecutionContext, size: int) -> None:
    recent = vars(connector).setdefault("_recent", OrderedDict())
    recent[context.request_id] = context
    if len(recent) > size:
        recent.popitem(last=False)


def keep_users(connector: Connector, user: str, size: int) -> None:
    recent = vars(connector).setdefault("_users", OrderedDict())
    recent[user] = recent.pop(user, 0) + 1
    if len(recent) > size:
        recent.popitem(last=False)


def remember(connector: Connector, context: UserExecutionContext) -> None:
    held = vars(connector)
    if "_parsed" not in held:
        held["_parsed"] = lru_cache(128)(lambda request_id: request_id.split("_"))
    held["_parsed"](context.request_id)


def fill_table(connector: Connector) -> None:
    held = vars(connector)
    held["_count"] = held.get("_count", 0) + 1
    place = held["_count"] % TABLE
    held.setdefault("_table", {}).setdefault(place, [place])


def set_and_cancel() -> None:
    asyncio.get_running_loop().call_later(LONG_S, print).cancel()


def hand_to_thread(connector: Connector, context: UserExecutionContext) -> None:
    held = vars(connector)
    if "_inbox" not in held:
        inbox: SimpleQueue[str | None] = SimpleQueue()
        held["_inbox"], held["_latest"] = inbox, deque(maxlen=32)
        work = partial(_keep, inbox, held["_latest"])
        threading.Thread(target=work, daemon=True).start()
        weakref.finalize(connector, inbox.put, None)
    held["_inbox"].put(context.request_id)


def _keep(inbox: SimpleQueue[str | None], latest: deque[str]) -> None:
    """Keep what arrives until None does, which says that the connector is gone."""
    while (request_id := inbox.get()) is not None:
        latest.append(request_id)


Lru64 = grower(
    "Lru64",
    "Keeps the contexts of the latest 64 connections, as a cache that drops the oldest.",
    "keep_recent(self, context, 64)",
)
Lru1000 = grower("Lru1000", "Keeps 1,000 of them.", "keep_recent(self, context, 1_000)")
LruCache = grower(
    "LruCache",
    "Remembers, with functools, what it worked out for the latest 128 connections.",
    "remember(self, context)",
)
LazyTable = grower(
    "LazyTable",
    "Fills a table of constants, one entry for each connection, until it is full.",
    "fill_table(self)",
)
CancelledTimers = grower(
    "CancelledTimers",
    "Sets a timer of a day for each connection, and cancels it at once.",
    "set_and_cancel()",
)
BackgroundThread = grower(
    "BackgroundThread",
    "Hands each connection to one thread, which keeps the latest 32 of them.",
    "hand_to_thread(self, context)",
)
GROWERS = tuple(each for each in list(vars().values()) if isinstance(each, Mutant))

Users64 = grower(
    "Users64",
    "Counts the connections of the latest 64 users, and forgets who has been away for longest.",
    "keep_users(self, context.user_id, 64)",
)
USER_GROWERS = (Users64,)
