"""More is asked than there is room for, under ids that are good, and under some that are not."""

from __future__ import annotations

from typing import Any

from threadline import Pool, Scenario, pool, rule, sometimes

from models.chat_service import ChatServiceModel as Chat
from models.chat_service.agents import LOST, NEVER_ENDS, PUNCTUAL, REFUSES, SILENT, SLOW, WELL
from models.session_manager.socket_faults import WELL as WELL_PEER
from scenarios.population import (
    CODES,
    NOTHING,
    OPEN,
    RUNS,
    TEXTS,
    THREADS,
    USERS,
    has_all_his_sessions,
)
from scenarios.refusals import BAD
from scenarios.service_population import EXCHANGES, is_queue_full

AGENTS = pool(NEVER_ENDS, SLOW, WELL, REFUSES, PUNCTUAL, LOST, SILENT)
REFERENCES: Pool[Any] = pool((), ("a",), ("a", "b"), ("",))
MESSAGES = pool(None, "id1", "id2")
ASKED: dict[str, Any] = {"run": RUNS, "message": MESSAGES, "text": TEXTS, "agent": AGENTS}
ASKED_BADLY: dict[str, Any] = {
    "thread": NOTHING | BAD,
    "run": RUNS | BAD,
    "message": MESSAGES | BAD,
    "text": TEXTS | pool(""),
    "agent": AGENTS,
}


class Crowd(Scenario[Chat], bare=True):
    """What a refusal says, to whom, and that nothing of it stays."""

    settings = {
        "queue_workers": pool(1, 2),
        "queue_max": pool(2, 1, 3),
        "queue_max_per_user": pool(200, 1),
        "max_sessions_per_user": pool(2, 1_000),
        "agent_timeout_s": pool(9, 6),
        "session_ttl_s": pool(100, 12, 6),
        "sweep_interval_s": pool(1_000),
    }

    connect = rule(
        Chat.connect, user=USERS, thread=NOTHING | THREADS, name=None, peer=WELL_PEER, weight=4
    )
    disconnect = rule(Chat.disconnect, connection=OPEN, code=CODES)
    say = rule(Chat.say, connection=OPEN, thread=NOTHING | THREADS, **ASKED, weight=6)
    say_badly = rule(Chat.say, connection=OPEN, **ASKED_BADLY, weight=2)
    refer = rule(
        Chat.refer, connection=OPEN, thread=NOTHING, references=REFERENCES, text=TEXTS, agent=AGENTS
    )
    post = rule(Chat.post, user=USERS, thread=NOTHING | THREADS, **ASKED, weight=3)
    post_badly = rule(Chat.post, user=USERS | BAD, **ASKED_BADLY, weight=2)
    stream_badly = rule(Chat.post_stream, user=USERS | BAD, **ASKED_BADLY)
    hang_up = rule(Chat.hang_up, exchange=EXCHANGES)
    subscribe = rule(Chat.subscribe, connection=OPEN, thread=None, action="subscribe", weight=2)
    broadcast = rule(
        Chat.broadcast, event=pool("quality_update", "quality_alert"), text=TEXTS, weight=2
    )
    wait = rule(Chat.wait, seconds=pool(1, 3, 6, 9, 12), weight=3)
    invalidate = rule(Chat.invalidate, user=USERS)
    invalidate_strange = rule(Chat.invalidate, user=BAD)
    delete_thread = rule(Chat.delete_thread, user=USERS, thread=THREADS)
    delete_strange = rule(Chat.delete_thread, user=USERS | BAD, thread=THREADS | BAD)
    threads_strange = rule(Chat.threads, user=USERS | BAD)
    messages_strange = rule(
        Chat.thread_messages, user=USERS | BAD, thread=THREADS | BAD, limit=pool(None, 1)
    )
    metrics = rule(Chat.metrics)
    ready = rule(Chat.ready)

    full = sometimes("the queue is full", is_queue_full)
    all_sessions = sometimes("a user has as many sessions as allowed", has_all_his_sessions)
