"""Who gets a place of the pool, who waits, and for how long."""

from __future__ import annotations

import asyncio

import pytest
from threadline import Handle, Ok
from threadline.campaign.change import Change, applied

from models.database_pool import PLACE, TIMEOUT
from scenarios.database_pool import Places
from sessions.storage.database import Places as OwnPlaces
from tests.conformance.talks import Begin, PoolTalk
from tests.explored import first_failure
from tests.sessions_clock import ManualClock, settle

TALK = PoolTalk
DRIVER = "drivers.database_pool:DatabasePoolDriver"

S1, S2, S3 = (Handle("s", number) for number in (1, 2, 3))


@pytest.mark.parametrize(("size", "waiting"), [(1, 2), (2, 1), (3, 0)])
def test_places_are_taken_up_to_their_number(
    begin: Begin[PoolTalk], size: int, waiting: int
) -> None:
    """
    Of three sessions as many work as there are places, and the others wait.
    """
    talk = begin(pool_size=size)
    for _ in range(3):
        talk.do.take(None)

    assert len(talk.model.line) == waiting


@pytest.mark.parametrize("end", ["give_back", "cancel"])
def test_place_goes_to_the_first_in_line(begin: Begin[PoolTalk], end: str) -> None:
    """
    Of two who wait the first gets the place of one that is done or cancelled.
    """
    talk = begin(pool_size=1)
    for _ in range(3):
        talk.do.take(None)

    assert getattr(talk.do, end)(S1) == Ok(told={S2: [PLACE]})
    assert talk.held("taken") == 1


@pytest.mark.parametrize(("held_s", "told"), [(29, PLACE), (30, TIMEOUT), (31, TIMEOUT)])
def test_wait_of_the_limit_is_in_vain(begin: Begin[PoolTalk], held_s: int, told: str) -> None:
    """
    Who waited for 30 s is refused, though a place comes free at that very second.
    """
    talk = begin(pool_size=1)
    talk.do.take(held_s)
    talk.do.take(None)

    assert talk.do.wait(31) == Ok(told={S2: [told]})
    assert talk.held("taken") == (told == PLACE)


def test_refused_one_leaves_the_line(begin: Begin[PoolTalk]) -> None:
    """
    A place that is given back after a refusal goes to the next, or is free.
    """
    talk = begin(pool_size=1)
    talk.do.take(None)
    talk.do.take(None)
    talk.do.wait(30)
    talk.do.give_back(S1)

    assert talk.held("taken") == 0
    assert talk.held("open") == 0


@pytest.mark.parametrize(("held_s", "told"), [(29.0, PLACE), (30.0, TIMEOUT)])
def test_place_that_is_free_at_the_very_second_is_too_late(
    begin: Begin[PoolTalk], held_s: float, told: str
) -> None:
    """
    That is so, too, where it is given back before the one who waits is told of the time.
    """
    talk = begin(pool_size=1)
    talk.do.hold(held_s)
    talk.do.hold(5.0)

    assert talk.do.wait(30) == Ok(told={S2: [told]})
    assert talk.held("in_line") == 0


def test_cancelled_one_leaves_the_line(begin: Begin[PoolTalk]) -> None:
    """
    Who is cancelled while waiting gets no place later.
    """
    talk = begin(pool_size=1)
    for _ in range(3):
        talk.do.take(None)
    talk.do.cancel(S2)

    assert talk.do.give_back(S1) == Ok(told={S3: [PLACE]})


@pytest.mark.parametrize("others", [0, 1])
def test_one_cancelled_with_a_place_handed_over_gives_it_back(
    begin: Begin[PoolTalk], others: int
) -> None:
    """
    A place handed over in the moment of a cancellation goes to the next, or is free.
    """
    talk = begin(pool_size=1)
    for _ in range(2 + others):
        talk.do.take(None)

    assert talk.do.hand_over(S1, S2) == Ok(told={S3: [PLACE]} if others else None)
    assert talk.held("taken") == others


def test_pool_agrees_with_the_model() -> None:
    """
    In 200 runs of a pool of one or two places nothing differs.
    """
    assert first_failure(DRIVER, Places, 200) == ""


@pytest.mark.parametrize(
    ("function", "old", "new"),
    [
        ("give_back", "popleft()", "pop()"),
        ("give_back", "if not self._is_due(waiter):", "if True:"),
        ("_is_due", ">=", ">"),
        ("_leave", "elif waiter in self._line:", "else:"),
        ("_wait", "self._leave(waiter)\n        raise Pool", "raise Pool"),
    ],
)
def test_a_pool_with_a_bug_does_not_agree(function: str, old: str, new: str) -> None:
    """
    Who comes last is not served first, who comes too late not at all, and nobody stays in line.
    """
    with applied([Change(f"sessions.storage.database.Places.{function}", old, new)]):
        assert first_failure(DRIVER, Places, 200)


def test_a_place_that_comes_too_late_goes_to_nobody() -> None:
    """
    Who has waited for the limit gets no place, though nobody has told him yet: the loop was late.
    """

    async def late(limit_s: float) -> bool:
        clock = ManualClock()
        places = OwnPlaces(clock, 1, limit_s)
        await places.take()
        waiting = asyncio.create_task(places.take())
        await settle()
        clock.now_s += 3
        places.give_back()
        await settle()
        return waiting.done() and waiting.exception() is None

    assert asyncio.run(late(limit_s=4))
    assert not asyncio.run(late(limit_s=3))
