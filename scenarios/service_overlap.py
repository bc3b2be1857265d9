"""Tabs, posts and agents of few users at once, and what ends them meanwhile."""

from __future__ import annotations

from typing import Any

from threadline import Now, Pool, Scenario, pool, rule, sometimes

from models.chat_service import ChatServiceModel as Chat
from models.chat_service.agents import HELD, RAISES_EARLY, RAISES_LATE, REFUSES, WELL
from models.session_manager.connections import CLEAN
from models.session_manager.socket_faults import WELL as WELL_PEER
from scenarios.agents import Agents
from scenarios.population import (
    CONTEXTS,
    MANAGER_KEYS,
    OPEN,
    TEXTS,
    THREADS,
    has_tabs,
)
from scenarios.quality import Quality
from scenarios.service_population import EXCHANGES, taken_up

# One who does most, on a thread that most is said on: what meets nobody shows no race.
USERS = pool("ana", "ana", "ana", "ben")
RAISE = (RAISES_EARLY, RAISES_LATE, REFUSES)
OWN = pool(None, None, None, None) | THREADS
# Whose agents wait for a word, so that another operation can come between question and answer.
HELD_TEXTS: Pool[str] = Pool(
    lambda now: [
        request.question().text
        for request in now.model.service.requests.all()
        if request.agent == HELD
        and request.question().text not in now.model.service.handling.released
    ]
)
SAID: dict[str, Any] = {
    "run": None,
    "message": pool(None, None, None, "id1"),
    "text": TEXTS,
    "agent": pool(WELL, HELD),
}


def _has_a_line(now: Now) -> bool:
    """Return whether a message waits behind another one of its thread that an agent is at."""
    lines = now.model.service.requests.lines.values()
    return any(line[0].process and len(line) > 1 for line in lines)


class ServiceOverlap(Scenario[Chat], bare=True):
    """What users do at the same time, over sockets and HTTP, on one store with few places.

    Connections are closed cleanly: of what was on its way when one breaks, nobody knows whether it
    has arrived. No time passes, and nobody counts.
    """

    overlap = True
    settings = {
        "pool_size": pool(10, 1, 2),
        "queue_workers": pool(64, 1, 2),
        "queue_workers_per_user": pool(4, 1),
    }

    connect = rule(Chat.connect, user=USERS, thread=THREADS, name=None, peer=WELL_PEER, weight=5)
    reconnect = rule(Chat.connect, MANAGER_KEYS, name=None, peer=WELL_PEER, weight=2)
    disconnect = rule(Chat.disconnect, connection=OPEN, code=CLEAN)
    create_manager = rule(Chat.create_manager, context=CONTEXTS, user=None)
    say = rule(Chat.say, connection=OPEN, thread=OWN, **SAID, weight=8)
    post = rule(Chat.post, user=USERS, thread=THREADS, **SAID, weight=2)
    post_stream = rule(Chat.post_stream, user=USERS, thread=THREADS, **SAID, weight=2)
    agent_answers = rule(Chat.agent_answers, text=HELD_TEXTS, weight=5)
    start_agent = rule(Chat.start_agent, connection=OPEN, thread=OWN, **SAID | {"message": None})
    stop_agent = rule(Chat.stop_agent, connection=OPEN, thread=OWN, weight=5)
    history = rule(Chat.history, connection=OPEN, thread=OWN, limit=None, weight=3)
    subscribe = rule(
        Chat.subscribe, connection=OPEN, thread=None, action=pool("subscribe", "unsubscribe")
    )
    broadcast = rule(Chat.broadcast, event=pool("quality_update"), text=TEXTS)
    validate = rule(
        Chat.validate,
        connection=OPEN,
        thread=OWN,
        content=TEXTS,
        content_type=None,
        strict=None,
    )
    quality_report = Quality.quality_report
    ping_thread = rule(Chat.ping_thread, connection=OPEN, thread=OWN)
    malformed = Agents.malformed
    sweep = rule(Chat.sweep)
    threads = rule(Chat.threads, user=USERS)
    thread_messages = rule(Chat.thread_messages, user=USERS, thread=THREADS, limit=None, weight=3)
    invalidate = rule(Chat.invalidate, user=USERS, weight=2)
    delete_thread = rule(Chat.delete_thread, user=USERS, thread=THREADS, weight=2)
    hang_up = rule(Chat.hang_up, exchange=EXCHANGES)

    tabs = sometimes("a thread has two connections", has_tabs)
    in_line = sometimes("a message waits behind one that is handled", _has_a_line)


class ServiceCancelled(ServiceOverlap):
    """Some of whom leave before what they asked for is done."""

    cancels = True


class ServiceRestart(ServiceOverlap):
    """And the service is stopped and started again while its agents are at work."""

    restart = rule(Chat.restart, weight=3)

    goes_on = sometimes("an agent answers what was asked before a start", taken_up)


class ServiceCrash(ServiceOverlap):
    """And the process is gone, whatever is under way, and is started again on what it stored."""

    crash = rule(Chat.crash)
    # More of what is stored, and of a look at it, than of what a crash forgets in any case.
    post = rule(Chat.post, user=USERS, thread=THREADS, **SAID, weight=6)
    thread_messages = rule(Chat.thread_messages, user=USERS, thread=THREADS, limit=None, weight=8)
    broadcast = subscribe = validate = quality_report = ping_thread = malformed = None

    goes_on = sometimes("an agent answers what was asked before a start", taken_up)


class ServiceFaults(ServiceOverlap):
    """Agents that raise, and commits that fail for a while."""

    say = rule(
        Chat.say,
        connection=OPEN,
        thread=OWN,
        **SAID | {"agent": pool(WELL, HELD, *RAISE)},
        weight=8,
    )
    storage_fails = rule(Chat.storage_fails)
    storage_recovers = rule(Chat.storage_recovers, weight=2)

    unstored = sometimes(
        "no commit succeeds while an agent is at work",
        lambda now: now.model.service.turns.fails and now.model.service.handling.running > 0,
    )
