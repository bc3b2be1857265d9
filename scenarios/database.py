"""What is stored outlives the service; and a pool of places that is small enough to be full."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from threadline.handle import Handle
from threadline.pool import Pool, pool
from threadline.rule import rule
from threadline.scenario import Scenario

from models.chat_service import CHAT_SERVICE
from models.chat_service.databases import HOWS
from models.chat_service.operations import History, Say
from models.chat_service.operations_routes import DeleteThread, Post, ThreadMessages, Threads
from models.chat_service.operations_storage import (
    CancelDatabase,
    CloseDatabase,
    CommitDatabase,
    Crash,
    OpenDatabaseSession,
    RaiseInDatabase,
    ReadDatabase,
    Restart,
    RollBackDatabase,
    StorageFails,
    StorageRecovers,
    WriteDatabase,
)
from models.session_manager.operations import Get, Invalidate
from models.session_manager.operations_connections import (
    Connect,
    Disconnect,
    Metrics,
    Sweep,
    Wait,
)
from models.session_manager.peers import WELL
from scenarios.population import (
    CODES,
    MADE,
    NOTHING,
    OPEN,
    RUNS,
    TEXTS,
    THREADS,
    USERS,
)
from scenarios.service_population import (
    BLOCKS,
    CLOSED,
    DATABASES,
    GOOD_AGENTS,
    LIMITS,
    MESSAGES,
    OWNERS,
    READERS,
    WRITERS,
    is_calm,
    is_free,
)

Text = str | Handle


class Database(Scenario):
    """What is there after a stop, a crash and a disk that fails, and who waits for a place."""

    contract = CHAT_SERVICE
    settings: ClassVar[Mapping[str, Pool[Any]]] = {
        "pool_size": pool(2, 1, 10),
        "pool_timeout_s": pool(3, 2, 4),
        "retention_s": pool(2_592_000, 12, 8),
        "session_ttl_s": pool(100, 10, 8),
        "sweep_interval_s": pool(1_000, 5, 5),
    }

    @rule(user=USERS, thread=NOTHING | THREADS | MADE, weight=4)
    def connect(self, user: str, thread: Text | None) -> Connect:
        return Connect(user, thread, None, WELL)

    @rule(connection=OPEN, code=CODES)
    def disconnect(self, connection: Handle, code: int) -> Disconnect:
        return Disconnect(connection, code)

    @rule(user=USERS, thread=NOTHING | THREADS | MADE, run=RUNS, weight=2)
    def get(self, user: str, thread: Text | None, run: Text | None) -> Get:
        return Get(user, thread, run)

    @rule(
        connection=OPEN,
        thread=NOTHING | THREADS,
        run=RUNS,
        message=MESSAGES,
        text=TEXTS,
        agent=GOOD_AGENTS,
        weight=8,
        precondition=is_calm,
    )
    def say_stored(
        self,
        connection: Handle,
        thread: Text | None,
        run: Text | None,
        message: Text | None,
        text: str,
        agent: str,
    ) -> Say:
        return Say(connection, thread, run, message, text, agent)

    @rule(
        user=USERS,
        thread=NOTHING | THREADS,
        text=TEXTS,
        agent=GOOD_AGENTS,
        weight=2,
        precondition=is_calm,
    )
    def post_stored(self, user: str, thread: Text | None, text: str, agent: str) -> Post:
        return Post(user, thread, None, None, text, agent)

    @rule(
        connection=OPEN,
        thread=NOTHING | THREADS | MADE,
        limit=LIMITS,
        weight=2,
        precondition=is_calm,
    )
    def history(self, connection: Handle, thread: Text | None, limit: int | None) -> History:
        return History(connection, thread, limit)

    @rule(user=USERS, precondition=is_free, weight=2)
    def threads(self, user: str) -> Threads:
        return Threads(user)

    @rule(user=USERS, thread=THREADS | MADE, limit=LIMITS, precondition=is_free, weight=2)
    def thread_messages(self, user: str, thread: Text, limit: int | None) -> ThreadMessages:
        return ThreadMessages(user, thread, limit)

    @rule(user=USERS, thread=THREADS | MADE, precondition=is_free)
    def delete_thread(self, user: str, thread: Text) -> DeleteThread:
        return DeleteThread(user, thread)

    @rule(user=USERS, precondition=is_free)
    def invalidate(self, user: str) -> Invalidate:
        return Invalidate(user)

    @rule(precondition=is_free)
    def restart(self) -> Restart:
        return Restart()

    @rule()
    def crash(self) -> Crash:
        return Crash()

    @rule()
    def storage_fails(self) -> StorageFails:
        return StorageFails()

    @rule(weight=2)
    def storage_recovers(self) -> StorageRecovers:
        return StorageRecovers()

    @rule(context=OWNERS, how=pool(*HOWS), weight=3)
    def open_database_session(self, context: Handle, how: str) -> OpenDatabaseSession:
        return OpenDatabaseSession(context, how)

    @rule(session=WRITERS, weight=3)
    def write_database(self, session: Handle) -> WriteDatabase:
        return WriteDatabase(session)

    @rule(session=READERS, weight=3)
    def read_database(self, session: Handle) -> ReadDatabase:
        return ReadDatabase(session)

    @rule(session=CLOSED)
    def write_closed(self, session: Handle) -> WriteDatabase:
        return WriteDatabase(session)

    @rule(session=DATABASES | CLOSED, weight=2)
    def commit_database(self, session: Handle) -> CommitDatabase:
        return CommitDatabase(session)

    @rule(session=DATABASES | CLOSED)
    def roll_back_database(self, session: Handle) -> RollBackDatabase:
        return RollBackDatabase(session)

    @rule(session=DATABASES | CLOSED, weight=2)
    def close_database(self, session: Handle) -> CloseDatabase:
        return CloseDatabase(session)

    @rule(session=BLOCKS)
    def raise_in_database(self, session: Handle) -> RaiseInDatabase:
        return RaiseInDatabase(session)

    @rule(session=BLOCKS)
    def cancel_database(self, session: Handle) -> CancelDatabase:
        return CancelDatabase(session)

    @rule(precondition=is_free)
    def sweep(self) -> Sweep:
        return Sweep()

    @rule(weight=2)
    def metrics(self) -> Metrics:
        return Metrics()

    # A place is waited for 2 to 4 s, a session ends at 8 or 10, a conversation at 8 or 12.
    @rule(seconds=pool(1, 2, 3, 4, 7, 8, 12), weight=3)
    def wait(self, seconds: int) -> Wait:
        return Wait(seconds)
