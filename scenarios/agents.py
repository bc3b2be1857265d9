"""Agents that answer, fail, dawdle and never come back, and users who go on meanwhile."""

from __future__ import annotations

from typing import Any

from threadline import Now, Scenario, pool, rule, sometimes

from models.chat_service import ChatServiceModel as Chat
from models.chat_service.malformed_frames import MALFORMED_FRAMES
from models.session_manager.manager import Connection
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
)
from scenarios.service_population import AGENTS, LIMITS, MESSAGES

SAID: dict[str, Any] = {"run": RUNS, "message": MESSAGES, "text": TEXTS, "agent": AGENTS}


def _works_for_nobody(now: Now) -> bool:
    """Return whether an agent is at work for a connection that has ended."""
    live = now.model.state.connections.live
    return any(
        request.process
        and request.is_agents
        and isinstance(request.asker, Connection)
        and request.asker.handle not in live
        for request in now.model.service.requests.all()
    )


class Agents(Scenario[Chat], bare=True):
    """What becomes of a request, whatever its agent does and whoever leaves in the meantime."""

    # A slow agent has its first event at 3 s and its reply at 6: below, on and above each.
    settings = {
        "agent_timeout_s": pool(9, 6, 7, 4, 3),
        "session_ttl_s": pool(100, 6, 8, 10),
        "reconnect_grace_s": pool(4, 60),
        "connection_timeout_s": pool(1_800, 7),
        "send_timeout_s": pool(2, 5),
        "outbox_max": pool(100, 30),  # an agent's events come all at once
        "recovery_max": pool(100, 3),
        "sweep_interval_s": pool(1_000, 5),
    }

    connect = rule(
        Chat.connect, user=USERS, thread=NOTHING | THREADS, name=None, peer=PEERS, weight=4
    )
    reconnect = rule(Chat.connect, MANAGER_KEYS, name=None, peer=PEERS, weight=2)
    disconnect = rule(Chat.disconnect, connection=OPEN, code=CODES)
    say = rule(Chat.say, connection=OPEN, thread=NOTHING | THREADS, **SAID, weight=8)
    start_agent = rule(
        Chat.start_agent,
        connection=OPEN,
        thread=NOTHING | THREADS,
        run=None,
        message=None,
        text=TEXTS,
        agent=AGENTS,
        weight=2,
    )
    post = rule(Chat.post, user=USERS, thread=NOTHING | THREADS, **SAID, weight=2)
    post_stream = rule(
        Chat.post_stream,
        user=USERS,
        thread=NOTHING | THREADS,
        run=None,
        message=None,
        text=TEXTS,
        agent=AGENTS,
        weight=2,
    )
    stop_agent = rule(Chat.stop_agent, connection=OPEN, thread=NOTHING | THREADS, weight=2)
    history = rule(Chat.history, connection=OPEN, thread=NOTHING | THREADS, limit=LIMITS, weight=2)
    ping_thread = rule(Chat.ping_thread, connection=OPEN, thread=NOTHING | THREADS)
    malformed = rule(Chat.malformed, connection=OPEN, flaw=pool(*MALFORMED_FRAMES))
    stall = rule(Chat.stall, connection=OPEN)
    resume = rule(Chat.resume, connection=OPEN)
    cut = rule(Chat.cut, connection=OPEN)
    wait = rule(Chat.wait, seconds=pool(1, 1, 2, 3, 4, 6, 10), weight=4)
    invalidate = rule(Chat.invalidate, user=USERS)
    delete_thread = rule(Chat.delete_thread, user=USERS, thread=THREADS)
    sweep = rule(Chat.sweep)

    left = sometimes("who asked has left, and the agent is at work", _works_for_nobody)
    resting = sometimes(
        "a message of an agent that is unavailable rests",
        lambda now: any(each.rests_until_s for each in now.model.service.requests.all()),
    )
