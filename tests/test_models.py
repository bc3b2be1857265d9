"""What models say of a system that differs: which property is broken, and the invariants."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from threadline import Census, Handle, Model
from threadline.failure import Disagreement, Property
from threadline.lockstep.outcomes import expected_of
from threadline.model import Invariant
from threadline.operation import Operation
from threadline.outcome import Ok, Outcome, Refused

from models.chat_service import ChatServiceModel as Chat
from models.chat_service.invariants import (
    no_database_session_ends_early,
    no_database_session_outlives_its_owner,
    no_task_outlives_its_work,
)
from models.session_manager import SessionManagerModel as Sessions
from models.session_manager.invariants import (
    INVARIANTS,
    every_socket_is_closed_with_its_code,
    no_live_socket_is_closed,
    no_socket_outlives_its_manager,
    no_task_outlives_its_socket,
)

K1, H2 = Handle("k", 1), Handle("h", 2)

GET = Sessions.get("ben", "t", None)
SAY = Chat.say(K1, None, None, None, "m4", "well")
WRITE = Chat.write_database(Handle("s", 1))
COMMIT = Chat.commit_database(Handle("s", 1))


def after(model: Model, *operations: Operation) -> Model:
    """Return the model, with these steps taken."""
    for number, operation in enumerate(operations, start=1):
        assert isinstance(expected_of(model.at(number), operation), Ok)
    return model


def sessions() -> Model:
    """Return a model in which ana is connected to t (step 1), and ben has a text (step 2)."""
    return after(
        Sessions(),
        Sessions.connect("ana", "t", None, "well"),
        Sessions.message("ben", "u", None, None, "ben's"),
        Sessions.deliver("ana", "t", "ana's"),
    )


def service() -> Model:
    """Return a model in which ana is connected to t, ben posted m2 to t, and ana said m3 on u."""
    return after(
        Chat(),
        Chat.connect("ana", "t", None, "well"),
        Chat.post("ben", "t", None, None, "m2", "well"),
        Chat.say(K1, "u", None, None, "m3", "well"),
        SAY,
    )


def thinking(text: str) -> Ok:
    return Ok(told={K1: [{"type": "agent_thinking", "text": text}]})


def sent(receiver: Handle, text: str, **own: object) -> Ok:
    event = {"type": "agent_completed", "response": f"You said: {text}", **own}
    return Ok(told={(receiver, "t"): [event]})


@pytest.mark.parametrize(
    ("model", "operation", "expected", "actual", "broken"),
    [
        (
            sessions,
            GET,
            Ok({"run": Handle("r", 4)}),
            Ok({"run": Handle("r", 1)}),
            Property.ISOLATION,
        ),
        (
            sessions,
            GET,
            Ok({"run": Handle("r", 2)}),
            Ok({"run": Handle("r", 4)}),
            Property.CONTINUITY,
        ),
        (sessions, GET, Refused("session limit"), Ok({}), Property.MEMORY),
        (sessions, GET, Refused("invalid context"), Ok({}), Property.KEYS),
        (sessions, GET, Ok({}), Refused("session limit"), Property.CONTINUITY),
        (
            sessions,
            Sessions.deliver("ben", "u", "ben's"),
            Ok(),
            thinking("ben's"),
            Property.ISOLATION,
        ),
        (
            sessions,
            Sessions.deliver("ana", "t", "ana's"),
            thinking("ana's"),
            Ok(),
            Property.CONTINUITY,
        ),
        (
            sessions,
            Sessions.metrics(),
            Ok({"messages": 1}),
            Ok({"messages": 2}),
            Property.MEMORY,
        ),
        (sessions, Sessions.read_id("t"), Ok({}), Ok({"valid": True}), Property.KEYS),
        (
            sessions,
            Sessions.get_manager(("ana", "t"), None),
            Ok(("ana", "t")),
            Ok(None),
            Property.KEYS,
        ),
        (service, SAY, sent(K1, "m4"), sent(K1, "m2"), Property.ISOLATION),
        (service, SAY, Ok(), sent(K1, "m3"), Property.ISOLATION),
        (
            service,
            SAY,
            sent(K1, "m3", position=1),
            sent(K1, "m3", position=2),
            Property.CONTINUITY,
        ),
        (service, SAY, Ok(), sent(H2, "m4"), Property.ISOLATION),
        (
            service,
            Chat.wait(1),
            Ok(),
            sent(K1, "m4", run_id=Handle("r", 2)),
            Property.ISOLATION,
        ),
        (
            service,
            Chat.wait(1),
            Ok(),
            sent(K1, "m4", event_id=Handle("e5", 2)),
            Property.CONTINUITY,
        ),
        (service, SAY, sent(K1, "m4"), Ok(), Property.CONTINUITY),
        (service, SAY, sent(K1, "m4"), sent(K1, "m40"), Property.CONTINUITY),
        (service, WRITE, Refused("closed"), Ok(), Property.MEMORY),
        (service, COMMIT, Refused("storage_error"), Ok(), Property.CONTINUITY),
        (service, Chat.metrics(), Ok({"retries": 1}), Ok({"retries": 2}), Property.MEMORY),
        (
            service,
            Chat.get("ana", "t", None),
            Ok({}),
            Ok({"run": Handle("r", 2)}),
            Property.ISOLATION,
        ),
    ],
)
def test_blames_an_outcome(
    model: Callable[[], Model],
    operation: Operation,
    expected: Outcome,
    actual: Outcome,
    broken: Property,
) -> None:
    """
    Another's id or text is isolation; else it is what the operation is about.
    """
    disagreement = Disagreement("outcome", expected, actual)

    assert model().blame(operation, disagreement) == broken


@pytest.mark.parametrize(
    ("name", "expected", "actual", "broken"),
    [
        ("managers", {("ana", "t"): 1}, {("ana", "u"): 1}, Property.KEYS),
        ("managers", {("ana", "t"): 1}, {("ana", "t"): 2}, Property.MEMORY),
        ("managers", {}, {("ana", "t"): 0}, Property.MEMORY),
        ("managers", {("ana", "t"): 1}, {}, Property.CONTINUITY),
        ("managers", {("ana", "t"): "r"}, {("ana", "t"): "s"}, Property.CONTINUITY),
        ("requests", {}, {("ana", "t"): 1}, Property.MEMORY),
        ("requests", {("ana", "t"): 1}, {}, Property.CONTINUITY),
        ("requests", {("ana", "t"): 1}, {("ana", "u"): 1}, Property.KEYS),
        ("subscriptions", set(), {("ana", "t")}, Property.MEMORY),
        ("subscriptions", {("ana", "t")}, set(), Property.CONTINUITY),
        ("subscriptions", {("ana", "t")}, {("ana", "u")}, Property.KEYS),
        ("places", {"taken": 0}, {"taken": 1}, Property.MEMORY),
        ("dead_letters", 1, 2, Property.MEMORY),
        ("dead_letters", 1, 0, Property.CONTINUITY),
    ],
)
def test_blames_a_census(name: str, expected: object, actual: object, broken: Property) -> None:
    """
    Under another key is keys, too much is memory, the rest is continuity.
    """
    disagreement = Disagreement(f"census {name}", expected, actual)

    assert Chat().blame(SAY, disagreement) == broken


def test_counts_tasks() -> None:
    """
    A connection needs at most so many tasks beside those of the service itself.
    """
    model = after(Chat(), Chat.connect("ana", "t", None, "well")).census()

    no_task_outlives_its_work(model, {"tasks": 12})
    with pytest.raises(AssertionError, match="13 tasks are alive; what is live needs at most 12"):
        no_task_outlives_its_work(model, {"tasks": 13})


def test_counts_database_sessions() -> None:
    """
    A connection has one, which may be open until it is swept.
    """
    steps = Chat.connect("ana", "t", None, "well"), Chat.wait(10)
    live = after(Chat(connection_timeout_s=10), *steps[:1]).census()
    due = after(Chat(connection_timeout_s=10), *steps).census()

    no_database_session_ends_early(live, {"database_sessions": 1})
    no_database_session_outlives_its_owner(due, {"database_sessions": 1})
    no_database_session_ends_early(due, {"database_sessions": 0})
    with pytest.raises(AssertionError, match="0 database sessions are open; 1 owners need one"):
        no_database_session_ends_early(live, {"database_sessions": 0})
    with pytest.raises(AssertionError, match="2 database sessions are open; there are 1 owners"):
        no_database_session_outlives_its_owner(due, {"database_sessions": 2})


LIVE, DUE, GONE = Handle("k", 1), Handle("k", 2), Handle("k", 3)
MODEL: Census = {
    "must_be_open": {LIVE},
    "may_be_open": {DUE},
    "close_codes": {GONE: 1011, DUE: 1001},
}
GOOD: Mapping[str, object] = {"open": {LIVE, DUE}, "closed": {GONE: 1011}, "tasks": 7}


@pytest.mark.parametrize("invariant", [invariant for _, invariant in INVARIANTS])
@pytest.mark.parametrize(
    "held",
    [GOOD, {"open": {LIVE}, "closed": {GONE: 1011, DUE: 1001}, "tasks": 2}],
    ids=["due and open", "due and closed"],
)
def test_lets_a_right_system_pass(invariant: Invariant, held: Census) -> None:
    """
    Every invariant holds, whether or not the socket of a due manager is closed already.
    """
    invariant(MODEL, held)


@pytest.mark.parametrize(
    ("invariant", "broken", "text"),
    [
        (no_live_socket_is_closed, {"open": {DUE}}, "k_1 should be open; open are k_2"),
        (
            no_socket_outlives_its_manager,
            {"open": {LIVE, GONE}},
            "k_3 should be closed; only k_1, k_2 may be open",
        ),
        (
            every_socket_is_closed_with_its_code,
            {"closed": {GONE: 1001}},
            "closed k_3 with 1001, not 1011",
        ),
        (
            every_socket_is_closed_with_its_code,
            {"closed": {LIVE: 1001}},
            "closed k_1 with 1001, not at all",
        ),
        (no_task_outlives_its_socket, {"tasks": 8}, "8 tasks are alive; 2 sockets need at most 7"),
    ],
)
def test_catches_a_broken_census(
    invariant: Invariant, broken: Mapping[str, object], text: str
) -> None:
    """
    Each invariant says what is wrong with the census that breaks it.
    """
    with pytest.raises(AssertionError) as raised:
        invariant(MODEL, {**GOOD, **broken})

    assert str(raised.value).partition("\n")[0] == text
