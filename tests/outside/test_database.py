"""A database that dies, hangs, locks or fills under a running service, and is well again."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

from sessions.settings import Settings
from tests.outside import faults
from tests.outside.faults import Fault, Place
from tests.outside.quiet import until_quiet
from tests.outside.talker import Talker, ask_all, talking
from tests.sessions_apps import ANA, BEN
from tests.sessions_databases import Gateway, needs_postgresql, own_schema
from tests.sessions_server import PATIENCE_S, Server, serving

pytestmark = pytest.mark.slow

TALKERS = 6
BEFORE, MEANWHILE, AFTER = 3, 2, 3  # questions of each
DISK_BYTES = 2**23
CODES = {"storage_error", "pool_timeout"}
PLACES = Settings().pool_size + 1  # of connections to a database, with that of the lease


@asynccontextmanager
async def on_postgresql(folder: Path) -> AsyncIterator[Place]:
    gateway = Gateway()
    async with (
        own_schema() as schema,
        gateway.opened(),
        serving("--database", gateway.url, "--schema", schema) as server,
    ):
        yield Place(server, folder, schema, gateway)


@asynccontextmanager
async def on_sqlite(folder: Path) -> AsyncIterator[Place]:
    async with serving("--database", f"sqlite+aiosqlite:///{folder / 'sessions.db'}") as server:
        yield Place(server, folder)


@asynccontextmanager
async def on_a_small_disk(folder: Path) -> AsyncIterator[Place]:
    """Mount a file system in memory, which takes the rights to do so."""
    options = ("-o", f"size={DISK_BYTES}", "none", str(folder))
    try:
        subprocess.run(("mount", "-t", "tmpfs", *options), check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no file system can be mounted here")
    try:
        async with on_sqlite(folder) as place:
            yield place
    finally:
        subprocess.run(("umount", str(folder)), check=True)


Where: TypeAlias = Callable[[Path], AbstractAsyncContextManager[Place]]


def case(where: Where, fault: Fault, *reasons: str, name: str) -> object:
    marks = [needs_postgresql] if where is on_postgresql else []
    return pytest.param(where, fault, set(reasons), id=name, marks=marks)


@pytest.mark.parametrize(
    ("where", "fault", "reasons"),
    [
        case(on_postgresql, faults.dies, "unreachable", name="postgresql dies"),
        case(on_postgresql, faults.hangs, "timeout", name="postgresql hangs"),
        case(on_postgresql, faults.locks, "timeout", name="postgresql locks"),
        case(on_postgresql, faults.fills, "full", name="postgresql fills"),
        case(on_postgresql, faults.fills_at_commit, name="postgresql fills at commit"),
        case(on_sqlite, faults.file_locks, "timeout", "locked", name="sqlite locks"),
        case(on_a_small_disk, faults.disk_fills, "full", name="sqlite fills"),
    ],
)
def test_database_that_fails_is_told_of_and_loses_nothing(
    tmp_path: Path,
    where: Where,
    fault: Fault,
    reasons: set[str],
    figures: Callable[[str], None],
    request: pytest.FixtureRequest,
) -> None:
    """
    While it fails every question is told so and the service lives; then all is as it was.

    What was acknowledged is there, what was refused can be sent again, each has one turn, on the
    same sockets, without a restart; nothing stays open, and no place taken. `reasons` are what
    /ready may say; without any it does not notice, as a commit of nothing needs no space.
    """

    async def run() -> str:
        async with where(tmp_path) as place:
            return await suffered(place, fault, reasons)

    figures(f"{request.node.callspec.id}: {asyncio.run(run())}")


async def suffered(place: Place, fault: Fault, reasons: set[str]) -> str:
    """Talk before, during and after a fault; return the figures."""
    server = place.server
    async with AsyncExitStack() as held:
        talkers = [
            await held.enter_async_context(talking(server, (ANA, BEN)[number % 2], f"t{number}"))
            for number in range(TALKERS)
        ]
        await ask_all(talkers, BEFORE)
        assert [each.refused for each in talkers] == [[]] * TALKERS
        began_s = time.monotonic()
        async with fault(place):
            noticed_s = await until_ready_is(server, 503, reasons) if reasons else 0.0
            told_s = await refused_meanwhile(server, talkers)
        ended_s = time.monotonic()
        await until_ready_is(server, 200, set())
        back_s = time.monotonic() - ended_s
        await asyncio.gather(*(each.ask_again() for each in talkers))
        await ask_all(talkers, AFTER)
        assert [each.refused for each in talkers] == [[]] * TALKERS
        for each in talkers:
            await each.check()
    await until_quiet(server)
    assert place.gateway.connections <= PLACES
    acknowledged = sum(len(each.acknowledged) for each in talkers)
    codes = sum((each.codes for each in talkers), Counter[str]())
    return (
        f"{ended_s - began_s:.1f} s long, noticed after {noticed_s:.1f} s; "
        f"{', '.join(f'{count} x {code}' for code, count in sorted(codes.items()))}, "
        f"each within {told_s:.1f} s; ready {back_s:.1f} s after its end; "
        f"{acknowledged} acknowledged, none lost"
    )


async def refused_meanwhile(server: Server, talkers: list[Talker]) -> float:
    """Send a question of each, all of which are refused; return the longest wait for that."""
    for each in talkers:
        each.worst_s = 0
    await ask_all(talkers, MEANWHILE)
    assert [len(each.refused) for each in talkers] == [MEANWHILE] * TALKERS
    assert {code for each in talkers for code in each.codes} <= CODES
    await asyncio.gather(*(each.ping() for each in talkers))
    assert await server.ask("GET", "/health", {}) == (200, {"status": "ok"})
    body = {"text": "hi", "thread_id": "over http"}
    status, told = await server.ask("POST", "/agents/message", ANA, body)
    assert (status, told["code"] in CODES) == (503, True)
    return max(each.worst_s for each in talkers)


async def until_ready_is(server: Server, status: int, reasons: set[str]) -> float:
    """Ask until it is so, and why not for one of these reasons; return the seconds."""
    began_s = time.monotonic()
    async with asyncio.timeout(PATIENCE_S):
        while (found := await server.ask("GET", "/ready", {}))[0] != status:
            pass
    assert not reasons or found[1]["reason"] in reasons
    return time.monotonic() - began_s


@needs_postgresql
def test_locked_row_holds_up_its_thread_alone(
    tmp_path: Path, figures: Callable[[str], None]
) -> None:
    """Whose thread it is are told so; others, and that user's other threads, are served."""

    async def run() -> str:
        async with (
            on_postgresql(tmp_path) as place,
            talking(place.server, ANA, "t") as locked,
            talking(place.server, ANA, "u") as beside,
            talking(place.server, BEN, "t") as other,
        ):
            talkers = [locked, beside, other]
            await ask_all(talkers, BEFORE)
            async with faults.row_locks(place, "ana", "t"):
                waiting = asyncio.create_task(locked.ask(1))
                answered = 0
                while not waiting.done():
                    await ask_all([beside, other], 1)
                    answered += 2
                assert (await place.server.ask("GET", "/ready", {}))[0] == 200
            await locked.ask_again()
            await ask_all(talkers, AFTER)
            assert [each.refused for each in talkers] == [[]] * len(talkers)
            assert (beside.codes, other.codes) == (Counter(), Counter())
            for each in talkers:
                await each.check()
        return (
            f"postgresql locks a row: {dict(locked.codes)} after {locked.worst_s:.1f} s; "
            f"{answered} others answered meanwhile, each within "
            f"{max(beside.worst_s, other.worst_s):.2f} s"
        )

    figures(asyncio.run(run()))
