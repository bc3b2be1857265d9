"""More messages than workers, and agents that cannot be had: what waits, for how long, for whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from threadline.handle import Handle
from threadline.pool import Pool, pool
from threadline.rule import rule
from threadline.scenario import Scenario

from models.chat_service import CHAT_SERVICE
from models.chat_service.agents import NEVER_ENDS, SLOW, UNAVAILABLE, UNAVAILABLE_TWICE, WELL
from models.chat_service.operations import History, QualityMetrics, Say, StopAgent, Subscribe
from models.chat_service.operations_routes import DeleteThread, Post
from models.session_manager.operations import Invalidate
from models.session_manager.operations_connections import (
    Connect,
    Disconnect,
    Metrics,
    Sweep,
    Wait,
)
from models.session_manager.peers import WELL as WELL_PEER
from scenarios.population import CODES, NOTHING, OPEN, TEXTS, USERS
from scenarios.service_population import is_calm, is_free

Text = str | Handle
THREADS = pool("t", "u", "v")
# Those that hold up a worker, and those that hold up a line, beside those that answer.
AGENTS = pool(WELL, SLOW, NEVER_ENDS, UNAVAILABLE_TWICE, UNAVAILABLE, UNAVAILABLE)
# Retries come after 1, 2, 4, 8 and 16 s: 31 s from the first try to the last.
PAUSES_S = pool(1, 1, 2, 3, 4, 8, 15, 16)


class Queue(Scenario):
    """Which message is handled next, when one is tried again, and which is given up."""

    contract = CHAT_SERVICE
    settings: ClassVar[Mapping[str, Pool[Any]]] = {
        "queue_workers": pool(1, 2),
        "queue_max": pool(4, 3, 2, 10),
        "dead_letters_max": pool(1, 2, 1_000),
        "agent_timeout_s": pool(9, 300),
        "session_ttl_s": pool(100, 40, 12),
        "sweep_interval_s": pool(1_000, 7),
    }

    @rule(user=USERS, thread=NOTHING | THREADS, weight=3)
    def connect(self, user: str, thread: Text | None) -> Connect:
        return Connect(user, thread, None, WELL_PEER)

    @rule(connection=OPEN, code=CODES)
    def disconnect(self, connection: Handle, code: int) -> Disconnect:
        return Disconnect(connection, code)

    @rule(
        connection=OPEN,
        thread=NOTHING | THREADS,
        text=TEXTS,
        agent=AGENTS,
        weight=8,
        precondition=is_calm,
    )
    def say_in_line(self, connection: Handle, thread: Text | None, text: str, agent: str) -> Say:
        return Say(connection, thread, None, None, text, agent)

    @rule(
        user=USERS,
        thread=NOTHING | THREADS,
        text=TEXTS,
        agent=AGENTS,
        weight=2,
        precondition=is_calm,
    )
    def post_in_line(self, user: str, thread: Text | None, text: str, agent: str) -> Post:
        return Post(user, thread, None, None, text, agent)

    @rule(connection=OPEN, thread=NOTHING | THREADS, weight=3, precondition=is_calm)
    def history_first(self, connection: Handle, thread: Text | None) -> History:
        return History(connection, thread, None)

    @rule(connection=OPEN, thread=NOTHING | THREADS, weight=2, precondition=is_calm)
    def quality_last(self, connection: Handle, thread: Text | None) -> QualityMetrics:
        return QualityMetrics(connection, thread, None, None)

    @rule(connection=OPEN, thread=NOTHING | THREADS)
    def subscribe_last(self, connection: Handle, thread: Text | None) -> Subscribe:
        return Subscribe(connection, thread, "subscribe")

    @rule(connection=OPEN, thread=NOTHING | THREADS, weight=2)
    def stop_agent(self, connection: Handle, thread: Text | None) -> StopAgent:
        return StopAgent(connection, thread)

    @rule(seconds=PAUSES_S, weight=6)
    def wait_for_retry(self, seconds: int) -> Wait:
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

    @rule()
    def metrics(self) -> Metrics:
        return Metrics()
