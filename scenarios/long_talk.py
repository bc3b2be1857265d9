"""One conversation, longer than what an agent is shown of it, with white space in its texts."""

from __future__ import annotations

from typing import Any

from threadline import Now, Pool, Scenario, pool, rule, sometimes

from models.chat_service import ChatServiceModel as Chat
from models.chat_service.agents import NEVER_ENDS, SLOW, UNAVAILABLE_TWICE, WELL
from models.chat_service.handling import HISTORY_TURNS
from models.session_manager.socket_faults import WELL as WELL_PEER
from scenarios.population import OPEN
from scenarios.service_population import EXCHANGES, taken_up

ONE, THREAD = pool("ana", identity=True), pool("t", identity=True)
# Unique to its step, as plain texts are; nobody may trim one, or count its words otherwise.
TEXTS = Pool(lambda now: [f" m{now.step} \n", f"m{now.step}\tis what is said"])
SAID: dict[str, Any] = {"run": None, "message": None, "text": TEXTS}
AGENTS = pool(WELL, WELL, WELL, WELL, WELL, WELL, SLOW, NEVER_ENDS, UNAVAILABLE_TWICE)


def _is_long(now: Now) -> bool:
    """Return whether a thread has more turns than an agent is shown."""
    stored = now.model.service.turns.stored.values()
    return any(len(found.turns) > HISTORY_TURNS for found in stored)


class LongTalk(Scenario[Chat], bare=True):
    """What is said after 20 turns, and after a start that finds so many of them stored."""

    settings = {"agent_timeout_s": pool(9), "reconnect_grace_s": pool(60, 4)}

    connect = rule(Chat.connect, user=ONE, thread=THREAD, name=None, peer=WELL_PEER, weight=2)
    say = rule(Chat.say, connection=OPEN, thread=None, **SAID, agent=AGENTS, weight=12)
    start_agent = rule(
        Chat.start_agent, connection=OPEN, thread=None, **SAID, agent=pool(WELL), weight=4
    )
    refer = rule(
        Chat.refer,
        connection=OPEN,
        thread=None,
        references=pool((), ("a",), ("b", "c")),
        text=TEXTS,
        agent=AGENTS,
        weight=2,
    )
    hang_up = rule(Chat.hang_up, exchange=EXCHANGES)
    post = rule(Chat.post, user=ONE, thread=THREAD, **SAID, agent=AGENTS, weight=4)
    history = rule(Chat.history, connection=OPEN, thread=None, limit=pool(None, 1, 20, 21))
    stop_agent = rule(Chat.stop_agent, connection=OPEN, thread=None)
    crash = rule(Chat.crash)
    restart = rule(Chat.restart)
    wait = rule(Chat.wait, seconds=pool(1, 3, 9), weight=4)

    long = sometimes("a thread has more turns than an agent is shown", _is_long)
    long_at_start = sometimes(
        "an agent goes on with such a thread after a start",
        lambda now: _is_long(now) and taken_up(now),
    )
