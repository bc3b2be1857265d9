"""Agents that answer, fail, dawdle and never come back, and users who go on meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from threadline.handle import Handle
from threadline.pool import Pool, pool
from threadline.rule import rule
from threadline.scenario import Scenario

from models.chat_service import CHAT_SERVICE
from models.chat_service.flaws import FLAWS
from models.chat_service.operations import (
    History,
    Malformed,
    PingThread,
    Say,
    StartAgent,
    StopAgent,
)
from models.chat_service.operations_routes import DeleteThread, Post, PostStream
from models.session_manager.operations import Invalidate
from models.session_manager.operations_connections import (
    Connect,
    Cut,
    Disconnect,
    Resume,
    Stall,
    Sweep,
    Wait,
)
from scenarios.population import (
    CODES,
    MANAGER_KEYS,
    NOTHING,
    OPEN,
    PEERS,
    RUNS,
    TEXTS,
    THREADS,
    USERS,
    Key,
)
from scenarios.service_population import AGENTS, LIMITS, MESSAGES, is_calm, is_free

Text = str | Handle
SAID: dict[str, Any] = {"run": RUNS, "message": MESSAGES, "text": TEXTS, "agent": AGENTS}


class Agents(Scenario):
    """What becomes of a request, whatever its agent does and whoever leaves in the meantime."""

    contract = CHAT_SERVICE
    # A slow agent has its first event at 3 s and its reply at 6: below, on and above each.
    settings: ClassVar[Mapping[str, Pool[Any]]] = {
        "agent_timeout_s": pool(9, 6, 7, 4, 3),
        "session_ttl_s": pool(100, 6, 8, 10),
        "reconnect_grace_s": pool(4, 60),
        "connection_timeout_s": pool(1_800, 7),
        "send_timeout_s": pool(2, 5),
        "outbox_max": pool(100, 30),  # an agent's events come all at once
        "recovery_max": pool(100, 3),
        "sweep_interval_s": pool(1_000, 5),
    }

    @rule(user=USERS, thread=NOTHING | THREADS, peer=PEERS, weight=4)
    def connect(self, user: str, thread: Text | None, peer: str) -> Connect:
        return Connect(user, thread, None, peer)

    @rule(key=MANAGER_KEYS, peer=PEERS, weight=2)
    def reconnect(self, key: Key, peer: str) -> Connect:
        return Connect(*key, None, peer)

    @rule(connection=OPEN, code=CODES)
    def disconnect(self, connection: Handle, code: int) -> Disconnect:
        return Disconnect(connection, code)

    @rule(connection=OPEN, thread=NOTHING | THREADS, **SAID, weight=8, precondition=is_calm)
    def say(
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
        connection=OPEN,
        thread=NOTHING | THREADS,
        text=TEXTS,
        agent=AGENTS,
        weight=2,
        precondition=is_calm,
    )
    def start_agent(
        self, connection: Handle, thread: Text | None, text: str, agent: str
    ) -> StartAgent:
        return StartAgent(connection, thread, None, None, text, agent)

    @rule(user=USERS, thread=NOTHING | THREADS, **SAID, weight=2, precondition=is_calm)
    def post(
        self,
        user: str,
        thread: Text | None,
        run: Text | None,
        message: Text | None,
        text: str,
        agent: str,
    ) -> Post:
        return Post(user, thread, run, message, text, agent)

    @rule(
        user=USERS,
        thread=NOTHING | THREADS,
        text=TEXTS,
        agent=AGENTS,
        weight=2,
        precondition=is_calm,
    )
    def post_stream(self, user: str, thread: Text | None, text: str, agent: str) -> PostStream:
        return PostStream(user, thread, None, None, text, agent)

    @rule(connection=OPEN, thread=NOTHING | THREADS, weight=2)
    def stop_agent(self, connection: Handle, thread: Text | None) -> StopAgent:
        return StopAgent(connection, thread)

    @rule(connection=OPEN, thread=NOTHING | THREADS, limit=LIMITS, weight=2, precondition=is_calm)
    def history(self, connection: Handle, thread: Text | None, limit: int | None) -> History:
        return History(connection, thread, limit)

    @rule(connection=OPEN, thread=NOTHING | THREADS)
    def ping_thread(self, connection: Handle, thread: Text | None) -> PingThread:
        return PingThread(connection, thread)

    @rule(connection=OPEN, flaw=pool(*FLAWS))
    def malformed(self, connection: Handle, flaw: str) -> Malformed:
        return Malformed(connection, flaw)

    @rule(connection=OPEN)
    def stall(self, connection: Handle) -> Stall:
        return Stall(connection)

    @rule(connection=OPEN)
    def resume(self, connection: Handle) -> Resume:
        return Resume(connection)

    @rule(connection=OPEN)
    def cut(self, connection: Handle) -> Cut:
        return Cut(connection)

    @rule(seconds=pool(1, 1, 2, 3, 4, 6, 10), weight=4)
    def wait(self, seconds: int) -> Wait:
        return Wait(seconds)

    @rule(user=USERS, precondition=is_free)
    def invalidate(self, user: str) -> Invalidate:
        return Invalidate(user)

    @rule(user=USERS, thread=THREADS, precondition=is_free)
    def delete_thread(self, user: str, thread: Text) -> DeleteThread:
        return DeleteThread(user, thread)

    @rule(precondition=is_free)
    def sweep(self) -> Sweep:
        return Sweep()
