"""What goes wrong around an agent is told, ends nothing else, and leaves nothing behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sessions.agents.fault_injecting import Fault
from sessions.storage.database import DatabaseGauges
from sessions.wiring import ServiceCensus
from tests.service_desk import ServiceDesk, serving

QUIET = ServiceCensus(
    requests={},
    subscriptions=(),
    dead_letters=0,
    pending_responses=0,
    database=DatabaseGauges(1, 0),
)


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


async def rested(desk: ServiceDesk) -> ServiceCensus:
    """Return what the service holds when every message and every closing is done with."""
    async with asyncio.timeout(20):
        while desk.service.census().requests or desk.service.census().database.places_taken:
            await asyncio.sleep(0)
        while desk.service.census().database.sessions_open > 1:
            await asyncio.sleep(0)
    return desk.service.census()
