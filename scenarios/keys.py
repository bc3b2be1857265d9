"""Ids made to collide: what is stored under a key is found under it, and under no other."""

from __future__ import annotations

from threadline.handle import Handle
from threadline.pool import Pool, pool
from threadline.rule import rule
from threadline.scenario import Scenario

from models.session_manager import SESSION_MANAGER
from models.session_manager.operations import (
    BaseId,
    ContextIds,
    Existing,
    FromWebsocket,
    Get,
    Invalidate,
    ReadId,
    WebsocketIds,
)
from models.session_manager.operations_connections import (
    CleanupManager,
    Connect,
    CreateManager,
    Deliver,
    Disconnect,
    GetManager,
    ManagerCount,
    Message,
)
from models.session_manager.peers import WELL
from scenarios.population import (
    CODES,
    CONTEXTS,
    LIKE_THREADS,
    LIKE_USERS,
    MADE,
    MADE_IDS,
    MANAGER_KEYS,
    NAMES,
    NOTHING,
    OPEN,
    TEXTS,
    Key,
)

Text = str | Handle
USERS, THREADS = LIKE_USERS, LIKE_THREADS
# Pairs that differ at the ninth character, in form, in case, by white space, at the 256th.
ALIKE_KEYS: Pool[Key] = pool(
    *(("anastasia", "t"), ("anastasio", "t")),
    *(("ana", "\u00e9"), ("ana", "e\u0301"), ("ana", "T"), ("ana", "t ")),
    *(("ana", "x" * 256), ("ana", "x" * 255 + "y")),
)
PREFIXES = pool("id", "a_1700000000000_1")
# Odd, even, none, and more digits than a counter has bytes.
RANDOM_LENGTHS = pool(8, 7, 1, 0, 33)
PURPOSES = pool("context", "a_b", "p" * 64, "p" * 65)
FOREIGN = pool("", "t", "id_170000000000_1_ab", "id_1700000000000", "id_1700000000000_1_xy")
# Not ours, and yet of our form; the last is of the future.
ALIKE = pool("x_1700000000000_1", "1_2_1699999999000_3_abc", "x_9999999999000_1_00000000")


class Keys(Scenario):
    """What users do whose ids look alike, and who echo ids that they were given."""

    contract = SESSION_MANAGER

    @rule(user=USERS, thread=NOTHING | THREADS | MADE, weight=4)
    def get(self, user: str, thread: Text | None) -> Get:
        return Get(user, thread, None)

    @rule(key=ALIKE_KEYS, weight=2)
    def get_alike(self, key: Key) -> Get:
        return Get(*key, None)

    @rule(key=ALIKE_KEYS, weight=2)
    def connect_alike(self, key: Key) -> Connect:
        return Connect(*key, None, WELL)

    @rule(key=ALIKE_KEYS)
    def find_alike(self, key: Key) -> GetManager:
        return GetManager(key, None)

    @rule(user=USERS, thread=NOTHING | THREADS | MADE)
    def existing(self, user: str, thread: Text | None) -> Existing:
        return Existing(user, thread)

    @rule(user=USERS)
    def from_websocket(self, user: str) -> FromWebsocket:
        return FromWebsocket(user, None, ())

    @rule(user=USERS, thread=NOTHING | THREADS | MADE, name=NAMES, weight=4)
    def connect(self, user: str, thread: Text | None, name: Text | None) -> Connect:
        return Connect(user, thread, name, WELL)

    @rule(user=USERS, thread=NOTHING | THREADS, connection=NOTHING | OPEN, text=TEXTS, weight=2)
    def message(
        self, user: str, thread: Text | None, connection: Handle | None, text: str
    ) -> Message:
        return Message(user, thread, None, connection, text)

    @rule(user=USERS, thread=THREADS | MADE, text=TEXTS)
    def deliver(self, user: str, thread: Text, text: str) -> Deliver:
        return Deliver(user, thread, text)

    @rule(connection=OPEN, code=CODES)
    def disconnect(self, connection: Handle, code: int) -> Disconnect:
        return Disconnect(connection, code)

    @rule(context=NOTHING | CONTEXTS, user=USERS, weight=2)
    def create_manager(self, context: Handle | None, user: str) -> CreateManager:
        return CreateManager(context, user)

    @rule(user=USERS, thread=THREADS)
    def get_manager(self, user: str, thread: Text) -> GetManager:
        return GetManager((user, thread), None)

    @rule(key=MANAGER_KEYS)
    def clean_up_by_key(self, key: Key) -> CleanupManager:
        return CleanupManager(key, None)

    @rule(context=CONTEXTS)
    def clean_up_by_context(self, context: Handle) -> CleanupManager:
        return CleanupManager(None, context)

    @rule(user=USERS)
    def manager_count(self, user: str) -> ManagerCount:
        return ManagerCount(user)

    @rule(user=USERS)
    def invalidate(self, user: str) -> Invalidate:
        return Invalidate(user)

    @rule(prefix=PREFIXES, random_length=RANDOM_LENGTHS)
    def base_id(self, prefix: str, random_length: int) -> BaseId:
        return BaseId(prefix, random_length)

    @rule(user=USERS, purpose=PURPOSES)
    def context_ids(self, user: str, purpose: str) -> ContextIds:
        return ContextIds(user, purpose)

    @rule(user=USERS | pool("anastasia"))
    def websocket_ids(self, user: str) -> WebsocketIds:
        return WebsocketIds(user)

    @rule(text=MADE_IDS | FOREIGN | ALIKE)
    def read_id(self, text: Text) -> ReadId:
        return ReadId(text)
