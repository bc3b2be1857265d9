"""What goes wrong around an agent is told, ends nothing else, and leaves nothing behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sessions.agents.fault_injecting import Fault
from sessions.service_census import ServiceCensus
from sessions.settings import Settings
from sessions.storage.database_factory import DatabaseGauges
from tests.service_desk import ServiceDesk, serving
from tests.sessions_clock import settle

QUIET = ServiceCensus(
    requests={}, subscriptions=(), dead_letters=0, exchanges=0, database=DatabaseGauges(1, 0)
)


@pytest.mark.parametrize("fault", [Fault.REFUSES, Fault.RAISES_EARLY, Fault.RAISES_LATE])
def test_failed_agent_leaves_the_users_turn(tmp_path: Path, fault: Fault) -> None:
    """The asker is told agent_failed, on the message's own thread, and can go on at once."""

    async def run() -> None:
        async with serving(tmp_path) as desk:
            desk.faults["hard"] = fault
            peer = await desk.connect()
            await desk.send(peer, "chat", text="hard", message_id="m1")
            error = await peer.until("error")
            told = (error["code"], error["thread_id"], error["message_id"])
            assert told == ("agent_failed", "t", "m1")

            completed = await desk.ask(peer, "easy")
            assert completed["response"] == "You said: easy Before that: hard"
            assert completed["position"] == 3

    asyncio.run(run())


def test_agent_has_as_long_as_it_may_and_no_longer(tmp_path: Path) -> None:
    """One second before its time an agent is waited for; on it, it is cancelled and told of."""

    async def run() -> None:
        async with serving(tmp_path, Settings(agent_timeout_s=10)) as desk:
            desk.faults["long"] = Fault.NEVER_ENDS
            peer = await desk.connect()
            await desk.send(peer, "chat", text="long")
            await peer.until("agent_thinking")
            await desk.clock.move(9)
            assert "error" not in peer.kinds()
            await desk.clock.move(1)

            assert (await peer.until("error"))["code"] == "agent_timeout"
            assert await rested(desk) == QUIET

    asyncio.run(run())


def test_stopped_agent_says_no_more(tmp_path: Path) -> None:
    """stop_agent ends the run at once; the next message of the thread follows."""

    async def run() -> None:
        async with serving(tmp_path) as desk:
            desk.faults["long"] = Fault.NEVER_ENDS
            peer = await desk.connect()
            await desk.send(peer, "chat", text="long")
            await peer.until("agent_thinking")
            await desk.send(peer, "stop_agent", message_id="m2")
            stopped = await peer.until("agent_stopped")
            assert stopped["message_id"] == "m2"

            await desk.ask(peer, "short")
            assert peer.kinds().count("agent_completed") == 1

    asyncio.run(run())


def test_unavailable_agent_is_tried_again_and_the_turn_stored_once(tmp_path: Path) -> None:
    """A second later the agent is asked once more, with no second agent_started."""

    async def run() -> None:
        async with serving(tmp_path) as desk:
            desk.faults["busy"] = Fault.UNAVAILABLE
            peer = await desk.connect()
            await desk.send(peer, "chat", text="busy")
            await peer.until("agent_started")
            await settle()
            del desk.faults["busy"]
            await desk.clock.move(1)
            completed = await peer.until("agent_completed")

            assert completed["position"] == 2
            assert peer.kinds().count("agent_started") == 1

    asyncio.run(run())


def test_expired_session_takes_its_agent_along(tmp_path: Path) -> None:
    """An agent that is still at work when its session is due says and stores nothing more."""

    async def run() -> None:
        settings = Settings(session_ttl_s=2, agent_timeout_s=60)
        async with serving(tmp_path, settings) as desk:
            desk.faults["slow"] = Fault.SLOW
            peer = await desk.connect()
            await desk.send(peer, "chat", text="slow")
            await peer.until("agent_started")
            await desk.clock.move(10)

            assert peer.kinds() == ["connected", "agent_started"]
            assert await rested(desk) == QUIET

    asyncio.run(run())


def test_invalidation_ends_what_a_user_has_and_nobody_elses(tmp_path: Path) -> None:
    """The invalidated user's socket is closed with 4401, the other's agent answers."""

    async def run() -> None:
        async with serving(tmp_path) as desk:
            desk.faults["long"] = Fault.NEVER_ENDS
            ana, ben = await desk.connect("ana"), await desk.connect("ben")
            await desk.send(ana, "chat", text="long")
            await ana.until("agent_thinking")
            assert await desk.service.invalidate_user_sessions("ana") == 1

            assert await ana.until_closed() == 4401
            assert (await desk.ask(ben, "hi"))["position"] == 2
            assert await rested(desk) == QUIET

    asyncio.run(run())


def test_deleted_thread_is_new_when_it_is_asked_for_again(tmp_path: Path) -> None:
    """Deleting closes its sockets with 4404 and removes its turns; positions begin at 1 again."""

    async def run() -> None:
        async with serving(tmp_path) as desk:
            peer = await desk.connect()
            await desk.ask(peer, "old")
            assert await desk.service.delete_thread("ana", "t") is True
            assert await peer.until_closed() == 4404
            assert await desk.service.delete_thread("ana", "t") is False

            again = await desk.connect()
            completed = await desk.ask(again, "new")
            assert (completed["position"], completed["response"]) == (2, "You said: new")

    asyncio.run(run())


def test_thread_goes_on_after_a_restart(tmp_path: Path) -> None:
    """The next service on the same database resumes the thread under its run, with its turns."""

    async def run() -> None:
        async with serving(tmp_path) as desk:
            peer = await desk.connect()
            before = await desk.ask(peer, "before")
        assert await peer.until_closed() == 1001
        async with serving(tmp_path) as desk:
            peer = await desk.connect()
            after = await desk.ask(peer, "after")

            assert peer.received[0]["resumed"] is True
            assert after["run_id"] == before["run_id"]
            assert after["response"] == "You said: after Before that: before"

    asyncio.run(run())


async def rested(desk: ServiceDesk) -> ServiceCensus:
    """Return what the service holds when every message and every closing is done with."""
    async with asyncio.timeout(20):
        while desk.service.census().requests or desk.service.census().database.places_taken:
            await asyncio.sleep(0)
        while desk.service.census().database.sessions_open > 1:
            await asyncio.sleep(0)
    return desk.service.census()
