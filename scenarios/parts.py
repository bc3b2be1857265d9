"""Each part by hand: with what is one below a limit, on it and above it, and all that is bad."""

from __future__ import annotations

from typing import Any

from threadline import Now, Pool, Scenario, pool, rule, sometimes

from models.parts import Parts
from models.parts.errors import ANSWERS, ERRORS, NOTHING, STORAGE, WITHOUT_CODE
from models.parts.model import BOUNDS_S, INTERVAL_S, KINDS, LIMITS, RAISES, RAISES_KNOWN, WELL
from models.parts.values import CONTENTS, EVENTS, FRAMES, PAYLOADS
from scenarios.refusals import BAD, ODD

FIELDS = pool(
    *("user_id", "thread_id", "run_id", "request_id"),
    *("websocket_client_id", "websocket_connection_id"),
)
ADDITIONAL = pool(
    *("nothing", "flat", "list", "set", "mapping", "object", "object in a list"),
    *("object in a set", "object in a mapping"),
    *("a key that is no text", "an inner key that is no text"),
)
# One less and one more than an id may have, where characters have two bytes.
LONG = pool("\u00e9" * 256, "\u00e9" * 257)
STRANGE: Pool[Any] = pool(None, "shout", "", 1, ["ping"])
DEPTHS: Pool[Any] = pool(0, 1, 9, 10, 11, -1, True, "1", 1.0, None)
TIMES_S = pool(*(end + by for end in BOUNDS_S for by in (0, -end / 10, end / 10)), 0.0, 5.0)
NO_ID: Pool[Any] = pool(None, "")
SCORES = pool((), (100,), (70, 41), (40, 40, 41), (1, 2), (0, 0))
NAMES = pool("a", "b")


def _sweeps_in_spite_of_it(now: Now) -> bool:
    """Return whether a sweep has raised, and another one has not."""
    sweeps = now.model.census()["sweeps"]
    return bool(0 < sweeps["errors"] < sweeps["done"])


class PartsByHand(Scenario[Parts], bare=True):
    """What no scenario of a whole system comes to: each limit, each error, each value."""

    context_of = rule(Parts.context_of, field=FIELDS, value=BAD | ODD | LONG | NO_ID, weight=3)
    depth = rule(Parts.context_of, field="operation_depth", value=DEPTHS)
    additional = rule(Parts.additional, word=ADDITIONAL, weight=2)
    observe = rule(Parts.observe, seconds=TIMES_S, weight=2)
    parse = rule(Parts.parse, frame=pool(*FRAMES), room=pool(0, 1, -1), weight=3)
    event = rule(Parts.event, word=pool(*EVENTS))
    kind_of = rule(Parts.kind_of, given=pool(*KINDS) | STRANGE)
    id_of = rule(
        Parts.id_of,
        name=pool("thread", "run", "message"),
        own=NO_ID | pool("a") | BAD,
        inner=NO_ID | pool("b") | BAD,
        weight=3,
    )
    payload = rule(Parts.payload, word=pool(*PAYLOADS), weight=8)
    judge = rule(
        Parts.judge,
        content=pool(*CONTENTS),
        content_type=pool("text", "markdown", "json"),
        strict=pool(False, True),
        weight=3,
    )
    average = rule(Parts.average, scores=SCORES)
    told_of = rule(Parts.told_of, error=pool(*ERRORS, *WITHOUT_CODE), weight=2)
    note = rule(Parts.note, error=pool(*STORAGE), weight=2)
    request = rule(
        Parts.request,
        what=pool(*ANSWERS),
        error=pool(*[NOTHING] * 4, *ERRORS, *WITHOUT_CODE),
        weight=3,
    )
    turn_away = rule(Parts.turn_away, limit=pool(*LIMITS))
    begin_sweeps = rule(Parts.begin_sweeps, weight=2)
    end_sweeps = rule(Parts.end_sweeps)
    sweeps_become = rule(Parts.sweeps_become, how=pool(WELL, RAISES, RAISES_KNOWN))
    wait = rule(Parts.wait, seconds=pool(1, INTERVAL_S - 1, INTERVAL_S, INTERVAL_S + 1), weight=3)
    open_response = rule(Parts.open_response, name=NAMES, weight=2)
    offer = rule(Parts.offer, name=NAMES, text=pool("x", "y"), weight=2)
    finish = rule(Parts.finish, name=pool(None, "a", "b"))
    finish_all = rule(Parts.finish_all)
    process_default = rule(Parts.process_default)

    both_wait = sometimes("two answers are waited for", lambda now: len(now.model.responses) > 1)
    swept = sometimes("a sweep raises, and others go well", _sweeps_in_spite_of_it)
