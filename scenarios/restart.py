"""Agents' requests, and a service that ends at any moment and is started again."""

from __future__ import annotations

from typing import Any

from threadline import pool, rule, sometimes

from models.chat_service import ChatServiceModel as Chat
from models.chat_service.agents import (
    NEVER_ENDS,
    RAISES_LATE,
    REFUSES,
    SLOW,
    UNAVAILABLE,
    UNAVAILABLE_TWICE,
    WELL,
)
from scenarios.agents import Agents
from scenarios.population import MADE, NOTHING, OPEN, RUNS, TEXTS, THREADS, USERS
from scenarios.service_population import LIMITS, has_given_up, taken_up

# Most agents are at it when the service ends, or have just given up.
ASKED: dict[str, Any] = {
    "run": RUNS,
    "message": pool(None, "id1", "id2"),
    "text": TEXTS,
    "agent": pool(
        *(SLOW, SLOW, SLOW, WELL, WELL, NEVER_ENDS),
        *(REFUSES, RAISES_LATE, UNAVAILABLE_TWICE, UNAVAILABLE, UNAVAILABLE),
    ),
}


class Restart(Agents, bare=True):
    """What was acknowledged is answered after a stop or a crash, once, unless it was given up."""

    settings = {
        **Agents.settings,
        "session_ttl_s": pool(100, 10, 30),
        "queue_max": pool(10_000, 2),  # what is taken up was accepted before
        "queue_workers": pool(64, 1),
    }

    say = rule(Chat.say, connection=OPEN, thread=NOTHING | THREADS, **ASKED, weight=8)
    post = rule(Chat.post, user=USERS, thread=NOTHING | THREADS, **ASKED, weight=4)
    crash = rule(Chat.crash, weight=3)
    restart = rule(Chat.restart)
    start_second = rule(Chat.start_second)
    storage_fails = rule(Chat.storage_fails)
    storage_recovers = rule(Chat.storage_recovers, weight=2)
    thread_messages = rule(
        Chat.thread_messages, user=USERS, thread=THREADS | MADE, limit=LIMITS, weight=2
    )
    wait = rule(Chat.wait, seconds=pool(1, 2, 3, 6, 16, 32, 32, 32), weight=5)
    malformed = stall = resume = cut = ping_thread = None

    goes_on = sometimes("an agent answers what was asked before a start", taken_up)
    given_up = sometimes("a message is given up", has_given_up)
