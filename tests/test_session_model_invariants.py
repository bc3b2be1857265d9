"""The invariants of the session manager, each on a census that it must not let pass."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from threadline import Census, Handle
from threadline.model import Invariant

from models.session_manager.invariants import (
    INVARIANTS,
    every_socket_is_closed_with_its_code,
    no_live_socket_is_closed,
    no_socket_outlives_its_manager,
    no_task_outlives_its_socket,
)

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
