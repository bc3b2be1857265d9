"""One conversation after another: the same ids come back, whoever asks, until they end."""

from __future__ import annotations

from threadline.handle import Handle
from threadline.pool import pool
from threadline.rule import rule
from threadline.scenario import Scenario

from models.session_manager import SESSION_MANAGER
from models.session_manager.operations import (
    Child,
    Create,
    Existing,
    FromWebsocket,
    Get,
    GetSession,
    Invalidate,
    Tamper,
)
from models.session_manager.operations_connections import Connect, Disconnect, Message, Ping, Wait
from models.session_manager.peers import WELL
from scenarios.population import (
    CODES,
    CONTEXTS,
    KEYS,
    MADE,
    NAMES,
    NOTHING,
    OPEN,
    OWN,
    RUNS,
    TEXTS,
    THREADS,
    USERS,
    Key,
)

Text = str | Handle
# Three are enough for parts of parts; the limit of ten is met at once, on it and above it.
DEEP = pool(1, 3, 10, 11)
TAGS = pool((), ("a", "b"))


class Conversation(Scenario):
    """What two users do who keep to their threads, and write from wherever they are."""

    contract = SESSION_MANAGER

    @rule(user=USERS, thread=NOTHING | THREADS | MADE, run=RUNS, weight=5)
    def get(self, user: str, thread: Text | None, run: Text | None) -> Get:
        return Get(user, thread, run)

    @rule(user=USERS, thread=NOTHING | THREADS | MADE, run=RUNS, weight=2)
    def get_session(self, user: str, thread: Text | None, run: Text | None) -> GetSession:
        return GetSession(user, thread, run)

    @rule(user=USERS, thread=NOTHING | THREADS, run=RUNS)
    def create(self, user: str, thread: Text | None, run: Text | None) -> Create:
        return Create(user, thread, run)

    @rule(user=USERS, thread=NOTHING | THREADS | MADE)
    def existing(self, user: str, thread: Text | None) -> Existing:
        return Existing(user, thread)

    @rule(user=USERS, name=NAMES, additional=TAGS)
    def from_websocket(
        self, user: str, name: Text | None, additional: tuple[str, ...]
    ) -> FromWebsocket:
        return FromWebsocket(user, name, additional)

    @rule(user=USERS, thread=NOTHING | THREADS | MADE, weight=3)
    def connect(self, user: str, thread: Text | None) -> Connect:
        return Connect(user, thread, None, WELL)

    @rule(own=OWN, thread=NOTHING | THREADS, run=RUNS, text=TEXTS, weight=4)
    def message(
        self, own: tuple[str, Handle], thread: Text | None, run: Text | None, text: str
    ) -> Message:
        user, connection = own
        return Message(user, thread, run, connection, text)

    @rule(
        user=USERS,
        thread=NOTHING | THREADS | MADE,
        run=RUNS,
        connection=NOTHING | OPEN,
        text=TEXTS,
        weight=2,
    )
    def write(
        self,
        user: str,
        thread: Text | None,
        run: Text | None,
        connection: Handle | None,
        text: str,
    ) -> Message:
        return Message(user, thread, run, connection, text)

    @rule(user=USERS, connection=OPEN, thread=NOTHING | THREADS, weight=2)
    def ping(self, user: str, connection: Handle, thread: Text | None) -> Ping:
        return Ping(user, connection, thread)

    @rule(connection=OPEN, code=CODES)
    def disconnect(self, connection: Handle, code: int) -> Disconnect:
        return Disconnect(connection, code)

    @rule(context=CONTEXTS, deep=DEEP)
    def child(self, context: Handle, deep: int) -> Child:
        return Child(context, deep)

    @rule(context=CONTEXTS)
    def tamper(self, context: Handle) -> Tamper:
        return Tamper(context)

    @rule(key=KEYS)
    def get_again(self, key: Key) -> Get:
        return Get(*key, None)

    @rule(user=USERS)
    def invalidate(self, user: str) -> Invalidate:
        return Invalidate(user)

    @rule(seconds=pool(1, 60))
    def wait(self, seconds: int) -> Wait:
        return Wait(seconds)
