"""How good the answers were, who asks, and who is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from threadline.handle import Handle
from threadline.pool import Pool, pool
from threadline.rule import rule
from threadline.scenario import Scenario

from models.chat_service import CHAT_SERVICE
from models.chat_service.operations import QualityMetrics, QualityReport, Say, Subscribe, Validate
from models.chat_service.operations_routes import Broadcast, DeleteThread
from models.session_manager.operations import Invalidate
from models.session_manager.operations_connections import Connect, Disconnect, Sweep, Wait
from models.session_manager.peers import WELL
from scenarios.population import CODES, MANAGER_KEYS, NOTHING, OPEN, TEXTS, THREADS, USERS, Key
from scenarios.service_population import GOOD_AGENTS, is_calm, is_free

Text = str | Handle
HOUR_S = 3_600
DAY_S, WEEK_S = 24 * HOUR_S, 168 * HOUR_S
AGENT_NAMES = pool(None, "rule_based", "Rule_based")
EVENTS = pool("quality_update", "quality_alert")
# Too short at 9 and at 39 characters, and not at 10 and 40; shouting; a placeholder; no JSON.
CONTENTS = pool(
    *("a" * 9, "a" * 10, "a" * 39, "a" * 40, f"  {'a' * 9}  ", "A" * 40, "1234567890"),
    *("todo: all that I was asked for, and then more", "Lorem Ipsum", '{"a": [1, 2, 3, 4]}', "{"),
)
CONTENT_TYPES = pool(None, "text", "markdown", "json")
LONG_S = 10_000_000  # beyond the run: here nothing but answers grows old


class Quality(Scenario):
    """What is measured of a thread's own answers only, and told to those who asked to hear."""

    contract = CHAT_SERVICE
    settings: ClassVar[Mapping[str, Pool[Any]]] = {
        "session_ttl_s": pool(LONG_S, DAY_S),
        "connection_timeout_s": pool(LONG_S, HOUR_S),
        "sweep_interval_s": pool(LONG_S, 5 * HOUR_S),
        "reconnect_grace_s": pool(60, DAY_S),
        "recovery_max": pool(2, 100),
    }

    @rule(user=USERS, thread=NOTHING | THREADS, weight=4)
    def connect(self, user: str, thread: Text | None) -> Connect:
        return Connect(user, thread, None, WELL)

    @rule(key=MANAGER_KEYS)
    def reconnect(self, key: Key) -> Connect:
        return Connect(*key, None, WELL)

    @rule(connection=OPEN, code=CODES)
    def disconnect(self, connection: Handle, code: int) -> Disconnect:
        return Disconnect(connection, code)

    @rule(
        connection=OPEN,
        thread=NOTHING | THREADS,
        text=TEXTS,
        agent=GOOD_AGENTS,
        weight=6,
        precondition=is_calm,
    )
    def say_well(self, connection: Handle, thread: Text | None, text: str, agent: str) -> Say:
        return Say(connection, thread, None, None, text, agent)

    @rule(
        connection=OPEN,
        thread=NOTHING | THREADS,
        action=pool("subscribe", "subscribe", "unsubscribe"),
        weight=3,
    )
    def subscribe(self, connection: Handle, thread: Text | None, action: str) -> Subscribe:
        return Subscribe(connection, thread, action)

    @rule(event=EVENTS, text=TEXTS, weight=3)
    def broadcast(self, event: str, text: str) -> Broadcast:
        return Broadcast(event, text)

    @rule(
        connection=OPEN,
        thread=NOTHING | THREADS,
        agent_name=AGENT_NAMES,
        hours=pool(None, 1, 24, 720),
        weight=3,
        precondition=is_calm,
    )
    def quality_metrics(
        self, connection: Handle, thread: Text | None, agent_name: str | None, hours: int | None
    ) -> QualityMetrics:
        return QualityMetrics(connection, thread, agent_name, hours)

    @rule(
        connection=OPEN,
        thread=NOTHING | THREADS,
        report=pool(None, "summary", "detailed"),
        period=pool(None, "day", "week"),
        weight=3,
        precondition=is_calm,
    )
    def quality_report(
        self, connection: Handle, thread: Text | None, report: str | None, period: str | None
    ) -> QualityReport:
        return QualityReport(connection, thread, report, period)

    @rule(
        connection=OPEN,
        content=CONTENTS,
        content_type=CONTENT_TYPES,
        strict=pool(None, False, True),
        weight=2,
    )
    def validate(
        self, connection: Handle, content: str, content_type: str | None, strict: bool | None
    ) -> Validate:
        return Validate(connection, None, content, content_type, strict)

    # The windows of an hour, a day and a week end at their second: one below, on and above each.
    @rule(seconds=pool(1, HOUR_S - 1, HOUR_S, DAY_S - 1, DAY_S, WEEK_S - DAY_S, WEEK_S), weight=2)
    def wait_long(self, seconds: int) -> Wait:
        return Wait(seconds)

    @rule(seconds=pool(1, 3, 6), weight=2)
    def wait(self, seconds: int) -> Wait:
        return Wait(seconds)

    @rule(user=USERS, thread=THREADS, precondition=is_free)
    def delete_thread(self, user: str, thread: Text) -> DeleteThread:
        return DeleteThread(user, thread)

    @rule(user=USERS, precondition=is_free)
    def invalidate(self, user: str) -> Invalidate:
        return Invalidate(user)

    @rule(precondition=is_free)
    def sweep(self) -> Sweep:
        return Sweep()
