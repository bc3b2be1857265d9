"""Places: who gets one, who waits, and for how long."""

from __future__ import annotations

import asyncio

import pytest

from sessions.errors import PoolTimeoutError
from sessions.storage.places import Places
from tests.sessions_clock import ManualClock, settle


def make_places(size: int = 1) -> tuple[Places, ManualClock]:
    clock = ManualClock()
    return Places(clock, size, timeout_s=30), clock


def test_places_are_taken_up_to_their_number() -> None:
    """Two places are taken at once, and the third has to wait."""

    async def run() -> None:
        places, _ = make_places(size=2)
        await places.take()
        await places.take()
        third = asyncio.create_task(places.take())
        await settle()

        assert places.taken == 2
        assert not third.done()
        third.cancel()

    asyncio.run(run())


def test_place_given_back_goes_to_the_first_in_line() -> None:
    """Of two who wait the first gets the place."""

    async def run() -> None:
        places, _ = make_places()
        await places.take()
        first, second = asyncio.create_task(places.take()), asyncio.create_task(places.take())
        await settle()
        places.give_back()
        await settle()

        assert first.done()
        assert not second.done()
        assert places.taken == 1
        second.cancel()

    asyncio.run(run())


def test_wait_of_one_second_less_than_the_limit_goes_on() -> None:
    """After 29 s the place is still waited for."""

    async def run() -> None:
        places, clock = make_places()
        await places.take()
        waiting = asyncio.create_task(places.take())
        await clock.move(29)
        places.give_back()
        await waiting

        assert places.taken == 1

    asyncio.run(run())


def test_wait_of_the_limit_is_refused() -> None:
    """After 30 s the place is refused, under the contract's reason."""

    async def run() -> None:
        places, clock = make_places()
        await places.take()
        waiting = asyncio.create_task(places.take())
        await clock.move(30)

        with pytest.raises(PoolTimeoutError) as refused:
            await waiting
        assert refused.value.reason == "pool timeout"
        assert places.taken == 1

    asyncio.run(run())


def test_place_is_not_given_to_one_whose_wait_is_over() -> None:
    """A place given back at the limit stays free, though no timer has run yet."""

    async def run() -> None:
        places, clock = make_places()
        await places.take()
        waiting = asyncio.create_task(places.take())
        await settle()
        clock.now_s += 30
        places.give_back()

        assert places.taken == 0
        await clock.move(0)
        with pytest.raises(PoolTimeoutError):
            await waiting

    asyncio.run(run())


def test_refused_one_leaves_the_line() -> None:
    """A place given back after a refusal is free."""

    async def run() -> None:
        places, clock = make_places()
        await places.take()
        waiting = asyncio.create_task(places.take())
        await clock.move(30)
        places.give_back()

        assert places.taken == 0
        assert isinstance(waiting.exception(), PoolTimeoutError)

    asyncio.run(run())


def test_cancelled_one_leaves_the_line() -> None:
    """Who is cancelled while waiting gets no place later."""

    async def run() -> None:
        places, _ = make_places()
        await places.take()
        waiting = asyncio.create_task(places.take())
        await settle()
        waiting.cancel()
        await settle()
        places.give_back()

        assert places.taken == 0

    asyncio.run(run())


def test_one_cancelled_with_a_place_handed_over_gives_it_back() -> None:
    """A place handed over in the moment of a cancellation is free again."""

    async def run() -> None:
        places, _ = make_places()
        await places.take()
        waiting = asyncio.create_task(places.take())
        await settle()
        places.give_back()
        waiting.cancel()
        await settle()

        assert waiting.cancelled()
        assert places.taken == 0

    asyncio.run(run())
