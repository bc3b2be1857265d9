"""How good the answers were, who asks, and who is told of it."""

from __future__ import annotations

from threadline import Now, Scenario, pool, rule, sometimes

from models.chat_service import ChatServiceModel as Chat
from models.chat_service.turns import AGENT
from models.session_manager.socket_faults import WELL
from scenarios.population import CODES, MANAGER_KEYS, NOTHING, OPEN, TEXTS, THREADS, USERS
from scenarios.service_population import GOOD_AGENTS

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


def _has_old_and_new_answers(now: Now) -> bool:
    """Return whether a thread has an answer of the last day, and one that is older."""
    service = now.model.service
    after_s = service.clock.now_s - DAY_S
    for found in service.turns.stored.values():
        answers = [turn.at_s for turn in found.turns if turn.role == AGENT]
        if answers and answers[0] <= after_s < answers[-1]:
            return True
    return False


class Quality(Scenario[Chat], bare=True):
    """What is measured of a thread's own answers only, and told to those who asked to hear."""

    settings = {
        "session_ttl_s": pool(LONG_S, DAY_S),
        "connection_timeout_s": pool(LONG_S, HOUR_S),
        "sweep_interval_s": pool(LONG_S, 5 * HOUR_S),
        "reconnect_grace_s": pool(60, DAY_S),
        "recovery_max": pool(2, 100),
    }

    connect = rule(
        Chat.connect, user=USERS, thread=NOTHING | THREADS, name=None, peer=WELL, weight=4
    )
    reconnect = rule(Chat.connect, MANAGER_KEYS, name=None, peer=WELL)
    disconnect = rule(Chat.disconnect, connection=OPEN, code=CODES)
    say_well = rule(
        Chat.say,
        connection=OPEN,
        thread=NOTHING | THREADS,
        run=None,
        message=None,
        text=TEXTS,
        agent=GOOD_AGENTS,
        weight=6,
    )
    subscribe = rule(
        Chat.subscribe,
        connection=OPEN,
        thread=NOTHING | THREADS,
        action=pool("subscribe", "subscribe", "unsubscribe"),
        weight=3,
    )
    broadcast = rule(Chat.broadcast, event=EVENTS, text=TEXTS, weight=3)
    quality_metrics = rule(
        Chat.quality_metrics,
        connection=OPEN,
        thread=NOTHING | THREADS,
        agent_name=AGENT_NAMES,
        hours=pool(None, 1, 24, 720),
        weight=3,
    )
    quality_report = rule(
        Chat.quality_report,
        connection=OPEN,
        thread=NOTHING | THREADS,
        report=pool(None, "summary", "detailed"),
        period=pool(None, "day", "week"),
        weight=3,
    )
    validate = rule(
        Chat.validate,
        connection=OPEN,
        thread=None,
        content=CONTENTS,
        content_type=CONTENT_TYPES,
        strict=pool(None, False, True),
        weight=2,
    )
    # The windows of an hour, a day and a week end at their second: one below, on and above each.
    wait_long = rule(
        Chat.wait,
        seconds=pool(1, HOUR_S - 1, HOUR_S, DAY_S - 1, DAY_S, WEEK_S - DAY_S, WEEK_S),
        weight=2,
    )
    wait = rule(Chat.wait, seconds=pool(1, 3, 6), weight=2)
    delete_thread = rule(Chat.delete_thread, user=USERS, thread=THREADS)
    invalidate = rule(Chat.invalidate, user=USERS)
    sweep = rule(Chat.sweep)

    old_and_new = sometimes(
        "a thread has an answer of the last day, and an older one", _has_old_and_new_answers
    )
    asked_to_hear = sometimes(
        "two threads are subscribed", lambda now: len(now.model.service.subscriptions.live()) > 1
    )
