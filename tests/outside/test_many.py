"""Very many: a thousand sockets at once, and ten thousand requests that are stopped at once."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path

import psutil
import pytest
from websockets.asyncio.client import ClientConnection

from sessions.settings import Settings
from tests.outside.quiet import until_quiet
from tests.outside.test_never_readers import RAISED
from tests.sessions_apps import ANA
from tests.sessions_databases import KINDS
from tests.sessions_server import Server, close_code, on, receive, send, serving, stored

pytestmark = pytest.mark.slow

SOCKETS, USERS = 1_000, 50
LIMITS = f'{{"connections_max": {SOCKETS}}}'
REFUSED = 5
TOKENS = {f"token {number}": f"user {number}" for number in range(USERS)}

PAIRS = 10_000  # of start_agent and stop_agent
TABS = 8
WARM_SHARE = 0.2  # of the pairs, before what is held is counted
# What the pool may have opened since: for each place three files of SQLite, and a thread.
POOL_MAX = 3 * (Settings().pool_size + 1)
GROWN_MAX_BYTES = 10 * 2**20  # 1.3 KB a pair, which is less than a task and its frames take


@pytest.mark.skipif(sys.platform != "linux", reason="counts descriptors")
@pytest.mark.parametrize("kind", KINDS)
def test_a_thousand_sockets_are_served(
    tmp_path: Path, kind: str, figures: Callable[[str], None]
) -> None:
    """As many as connections_max are connected and answered; more are refused, and counted."""

    async def run() -> str:
        command = (*RAISED, LIMITS)
        async with (
            stored(tmp_path, kind) as options,
            serving(*options, command=command, tokens=TOKENS) as server,
        ):
            process = psutil.Process(server.pid)
            rss_bytes, descriptors = process.memory_info().rss, process.num_fds()
            async with AsyncExitStack() as held:
                for number in range(SOCKETS):
                    far_end = await held.enter_async_context(tab(server, number))
                    assert (await receive(far_end))["type"] == "connected"
                    await send(far_end, "chat", payload={"text": "hi"})
                    while (await receive(far_end))["type"] != "agent_completed":
                        pass
                grown_kb = (process.memory_info().rss - rss_bytes) / 1_024 / SOCKETS
                for number in range(REFUSED):
                    async with tab(server, number) as far_end:
                        assert await close_code(far_end) == 1013
                assert process.num_fds() >= descriptors + SOCKETS
                shown = await server.metrics()
            await until_quiet(server)
            left = process.num_fds() - descriptors
        assert shown["sessions_connections_refused_total{connections_max}"] == REFUSED
        assert shown["sessions_connections_live"] == SOCKETS
        assert left <= POOL_MAX
        return (
            f"{kind}: {SOCKETS} sockets, {grown_kb:.0f} KB each; {REFUSED} more refused with 1013; "
            f"{left} descriptors left"
        )

    figures(asyncio.run(run()))


@pytest.mark.parametrize("kind", KINDS)
def test_requests_that_are_stopped_leave_nothing(
    tmp_path: Path, kind: str, figures: Callable[[str], None]
) -> None:
    """10,000 pairs of start and stop: none is refused, and memory, threads, files stay as many."""

    async def run() -> str:
        async with stored(tmp_path, kind) as options, serving(*options) as server:
            process = psutil.Process(server.pid)
            told: Counter[str] = Counter()
            await stop_all(server, int(PAIRS * WARM_SHARE), told)
            before = await held_by(server, process)
            began_s = time.monotonic()
            await stop_all(server, PAIRS - int(PAIRS * WARM_SHARE), told)
            took_s = time.monotonic() - began_s
            after = await held_by(server, process)
            metrics = await server.metrics()
        assert not set(told) - {"agent_stopped", "agent_completed", "nothing_to_stop"}
        assert [value for name, value in metrics.items() if "storage_errors" in name if value] == []
        threads, descriptors, grown_bytes = (
            now - then for now, then in zip(after, before, strict=True)
        )
        assert max(threads, descriptors) <= POOL_MAX
        assert grown_bytes <= GROWN_MAX_BYTES
        return (
            f"{kind}: {PAIRS:,} pairs, {took_s / PAIRS / (1 - WARM_SHARE) * 1_000:.1f} ms each; "
            f"{', '.join(f'{count:,} x {word}' for word, count in sorted(told.items()))}; "
            f"{grown_bytes / 2**20:+.1f} MiB, {threads:+} threads, {descriptors:+} descriptors"
        )

    figures(asyncio.run(run()))


def tab(server: Server, number: int) -> AbstractAsyncContextManager[ClientConnection]:
    """Return a tab, of one of the users, on a thread of its own."""
    token = f"token {number % USERS}"
    return server.connected({"Authorization": f"Bearer {token}"}, on(f"t{number}"))


async def held_by(server: Server, process: psutil.Process) -> tuple[int, int, int]:
    """Return threads, descriptors and bytes of memory of a server that has nothing to do."""
    await until_quiet(server)
    return process.num_threads(), process.num_fds(), process.memory_info().rss


async def stop_all(server: Server, pairs: int, told: Counter[str]) -> None:
    share = range(TABS)
    await asyncio.gather(*(stop(server, f"t{tab}", pairs // TABS, told) for tab in share))


async def stop(server: Server, thread_id: str, pairs: int, told: Counter[str]) -> None:
    """Begin requests, and stop each at once; count what is told of the stops, or goes wrong."""
    async with server.connected(ANA, on(thread_id)) as far_end:
        await receive(far_end)
        for _ in range(pairs):
            await send(far_end, "start_agent", message_id=None, payload={"user_request": "hi"})
            await send(far_end, "stop_agent", message_id="stop")
            words = await verdicts(far_end)
            told.update(words)


async def verdicts(far_end: ClientConnection) -> list[str]:
    """Return the last words on a request and its stop: one, if it was stopped, or two."""
    words: list[str] = []
    while "agent_stopped" not in words and len(words) < 2:
        event = await receive(far_end)
        if event["type"] == "error":
            words.append(str(event["code"]))
        elif event["type"] in ("agent_stopped", "agent_completed"):
            words.append(str(event["type"]))
    return words
