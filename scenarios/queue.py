"""More messages than workers, and agents that cannot be had: what waits, for how long, for whom."""

from __future__ import annotations

from threadline import Now, Scenario, pool, rule, sometimes

from models.chat_service import ChatServiceModel as Chat
from models.chat_service.agents import NEVER_ENDS, SLOW, UNAVAILABLE, UNAVAILABLE_TWICE, WELL
from models.session_manager.socket_faults import WELL as WELL_PEER
from scenarios.population import CODES, NOTHING, OPEN, TEXTS, USERS
from scenarios.service_population import has_given_up, is_queue_full

THREADS = pool("t", "u", "v", identity=True)
# Those that hold up a worker, and those that hold up a line, beside those that answer.
AGENTS = pool(WELL, SLOW, NEVER_ENDS, UNAVAILABLE_TWICE, UNAVAILABLE, UNAVAILABLE)
# Retries come after 1, 2, 4, 8 and 16 s: 31 s from the first try to the last.
PAUSES_S = pool(1, 1, 2, 3, 4, 8, 15, 16)


def _rests_before_others(now: Now) -> bool:
    """Return whether a message that rests holds up another one of its thread."""
    lines = now.model.service.requests.lines.values()
    return any(line[0].rests_until_s and len(line) > 1 for line in lines)


class Queue(Scenario[Chat], bare=True):
    """Which message is handled next, when one is tried again, and which is given up."""

    settings = {
        "queue_workers": pool(1, 2),
        "queue_max": pool(4, 3, 2, 10),
        "queue_max_per_user": pool(200, 2, 3),
        "queue_workers_per_user": pool(4, 1),
        "dead_letters_max": pool(1, 2, 1_000),
        "agent_timeout_s": pool(9, 300),
        "session_ttl_s": pool(100, 40, 12),
        "sweep_interval_s": pool(1_000, 7),
    }

    connect = rule(
        Chat.connect, user=USERS, thread=NOTHING | THREADS, name=None, peer=WELL_PEER, weight=3
    )
    disconnect = rule(Chat.disconnect, connection=OPEN, code=CODES)
    say_in_line = rule(
        Chat.say,
        connection=OPEN,
        thread=NOTHING | THREADS,
        run=None,
        message=None,
        text=TEXTS,
        agent=AGENTS,
        weight=8,
    )
    post_in_line = rule(
        Chat.post,
        user=USERS,
        thread=NOTHING | THREADS,
        run=None,
        message=None,
        text=TEXTS,
        agent=AGENTS,
        weight=2,
    )
    history_first = rule(
        Chat.history, connection=OPEN, thread=NOTHING | THREADS, limit=None, weight=3
    )
    quality_last = rule(
        Chat.quality_metrics,
        connection=OPEN,
        thread=NOTHING | THREADS,
        agent_name=None,
        hours=None,
        weight=2,
    )
    subscribe_last = rule(
        Chat.subscribe, connection=OPEN, thread=NOTHING | THREADS, action="subscribe"
    )
    stop_agent = rule(Chat.stop_agent, connection=OPEN, thread=NOTHING | THREADS, weight=2)
    wait_for_retry = rule(Chat.wait, seconds=PAUSES_S, weight=6)
    invalidate = rule(Chat.invalidate, user=USERS)
    delete_thread = rule(Chat.delete_thread, user=USERS, thread=THREADS)
    sweep = rule(Chat.sweep)
    metrics = rule(Chat.metrics)

    full = sometimes("the queue is full", is_queue_full)
    held_up = sometimes("a message waits behind one that rests", _rests_before_others)
    given_up = sometimes("a message is given up", has_given_up)
