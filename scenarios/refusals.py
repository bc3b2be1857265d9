"""Bad input among good: it is refused, and changes nothing at all."""

from __future__ import annotations

from typing import Any

from threadline.handle import Handle
from threadline.pool import Pool, pool
from threadline.rule import rule
from threadline.scenario import Scenario

from models.session_manager import SESSION_MANAGER
from models.session_manager.operations import (
    Create,
    Existing,
    FromWebsocket,
    Get,
    GetSession,
    Invalidate,
)
from models.session_manager.operations_connections import (
    CleanupManager,
    Connect,
    CreateManager,
    Deliver,
    GetManager,
    Message,
    Metrics,
    Ping,
)
from models.session_manager.peers import WELL
from scenarios.population import (
    CONTEXTS,
    ENDED,
    NAMES,
    NOTHING,
    OPEN,
    RUNS,
    TEXTS,
    THREADS,
    USERS,
    Key,
)

Text = str | Handle
# Blank, no text, a placeholder in disguise, too long, a control character, a lone surrogate.
BAD: Pool[Any] = pool(" ", 7, " Null ", "x" * 257, "a\x00", "a\ud800", "\x85b", "TODO")
# As strange, and good all the same.
ODD = pool("x" * 256, "x", "nullable", "\u00e9", "e\u0301", "\u202eb", "\U0001f600", "")
NO_USER: Pool[Any] = pool("", None)


class Refusals(Scenario):
    """What a system answers to those who give it what it must not take."""

    contract = SESSION_MANAGER

    @rule(
        user=USERS | BAD | NO_USER, thread=NOTHING | THREADS | ODD | BAD, run=RUNS | BAD, weight=3
    )
    def get(self, user: str, thread: Text | None, run: Text | None) -> Get:
        return Get(user, thread, run)

    @rule(user=USERS, thread=NOTHING | THREADS | ODD, run=RUNS | ODD, weight=3)
    def get_odd(self, user: str, thread: Text | None, run: Text | None) -> Get:
        return Get(user, thread, run)

    @rule(user=USERS | BAD, thread=NOTHING | THREADS | BAD, run=RUNS | BAD)
    def get_session(self, user: str, thread: Text | None, run: Text | None) -> GetSession:
        return GetSession(user, thread, run)

    @rule(user=USERS | BAD, thread=NOTHING | THREADS | BAD, run=RUNS | BAD)
    def create(self, user: str, thread: Text | None, run: Text | None) -> Create:
        return Create(user, thread, run)

    @rule(user=USERS | BAD, thread=NOTHING | THREADS | ODD | BAD)
    def existing(self, user: str, thread: Text | None) -> Existing:
        return Existing(user, thread)

    @rule(user=USERS | BAD | NO_USER, name=NAMES | BAD | ODD)
    def from_websocket(self, user: str, name: Text | None) -> FromWebsocket:
        return FromWebsocket(user, name, ())

    @rule(user=USERS, thread=NOTHING | THREADS, name=NAMES, weight=3)
    def connect(self, user: str, thread: Text | None, name: Text | None) -> Connect:
        return Connect(user, thread, name, WELL)

    @rule(user=USERS | BAD, thread=NOTHING | THREADS | BAD, name=NAMES | BAD | ODD, weight=2)
    def connect_badly(self, user: str, thread: Text | None, name: Text | None) -> Connect:
        return Connect(user, thread, name, WELL)

    @rule(user=USERS | BAD, thread=NOTHING | THREADS | BAD, run=RUNS | BAD, text=TEXTS)
    def write(self, user: str, thread: Text | None, run: Text | None, text: str) -> Message:
        return Message(user, thread, run, None, text)

    @rule(user=USERS, thread=NOTHING | BAD, run=RUNS | BAD, connection=OPEN | ENDED, text=TEXTS)
    def message(
        self, user: str, thread: Text | None, run: Text | None, connection: Handle, text: str
    ) -> Message:
        return Message(user, thread, run, connection, text)

    @rule(user=USERS | BAD, connection=OPEN | ENDED, thread=NOTHING | THREADS | BAD)
    def ping(self, user: str, connection: Handle, thread: Text | None) -> Ping:
        return Ping(user, connection, thread)

    @rule(user=USERS | BAD, thread=THREADS | BAD | NO_USER, text=TEXTS)
    def deliver(self, user: str, thread: Text, text: str) -> Deliver:
        return Deliver(user, thread, text)

    @rule(user=USERS | BAD | NO_USER)
    def invalidate(self, user: str) -> Invalidate:
        return Invalidate(user)

    @rule(context=CONTEXTS | NOTHING, user=USERS | BAD | NOTHING)
    def create_manager(self, context: Handle | None, user: str | None) -> CreateManager:
        return CreateManager(context, user)

    @rule(key=pool(("ana", "t"), None), context=CONTEXTS | NOTHING)
    def get_manager(self, key: Key | None, context: Handle | None) -> GetManager:
        return GetManager(key, context)

    @rule(key=pool(("ana", "t"), None), context=CONTEXTS | NOTHING)
    def clean_up(self, key: Key | None, context: Handle | None) -> CleanupManager:
        return CleanupManager(key, context)

    @rule()
    def metrics(self) -> Metrics:
        return Metrics()
