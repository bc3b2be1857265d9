"""What a message costs the chat service, beside the plainest service that stores as much.

Each round plays both, one after the other, on a database that begins empty: so many sockets, each
of which sends its next message when the last was answered. The client is a process beside them.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import NamedTuple

import psutil
from websockets.asyncio.client import connect

from tests.sessions_databases import POSTGRESQL_URL, own_schema, postgresql_runs

PAIRS = 3
SOCKETS = (100, 1_000)
MESSAGES = 2_000  # of all sockets together
USERS = 50  # so that no user has more threads than one may
TOKENS = {f"token {number}": f"user {number}" for number in range(USERS)}
# With its defaults, but for the number of connections, which is 500.
LIMITS = json.dumps({"connections_max": max(SOCKETS)})
OURS = (sys.executable, "-m", "tests.outside.raised", LIMITS)
PLAIN = (sys.executable, "-m", "tests.bench.plain_service")


class Figures(NamedTuple):
    """What came of one round: times in milliseconds, memory in KB a socket."""

    messages_a_second: float
    cpu_ms: float
    p50_ms: float
    p99_ms: float
    memory_kb: float
    descriptors_left: int


@asynccontextmanager
async def serving(*command: str) -> AsyncIterator[tuple[str, psutil.Process]]:
    """Run a server, and give its address and its process."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, "SESSIONS_TOKENS": json.dumps(TOKENS)},
        stdout=PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    try:
        yield line.strip().partition("http://")[2], psutil.Process(process.pid)
    finally:
        process.terminate()
        await process.communicate()


async def talk(address: str, number: int, messages: int, ready: asyncio.Barrier) -> list[float]:
    """Return the seconds that each message of one socket took."""
    token = f"token {number % USERS}"
    took = []
    async with connect(
        f"ws://{address}/ws?thread_id=t{number}",
        additional_headers={"Authorization": f"Bearer {token}"},
        open_timeout=600,
    ) as socket:
        await socket.recv()
        await ready.wait()
        for each in range(messages):
            began = time.perf_counter()
            await socket.send(json.dumps({"type": "chat", "payload": {"text": f"text {each}"}}))
            while json.loads(await socket.recv())["type"] != "agent_completed":
                pass
            took.append(time.perf_counter() - began)
        await ready.wait()
    return took


async def played(command: tuple[str, ...], sockets: int) -> Figures:
    async with serving(*command) as (address, process):
        descriptors, memory = process.num_fds(), process.memory_info().rss
        ready = asyncio.Barrier(sockets + 1)
        each = max(1, MESSAGES // sockets)
        async with asyncio.TaskGroup() as group:  # one socket that fails ends all
            talks = [
                group.create_task(talk(address, number, each, ready)) for number in range(sockets)
            ]
            await ready.wait()
            memory = process.memory_info().rss - memory
            cpu, began = process.cpu_times(), time.perf_counter()
            await ready.wait()
            seconds, spent = time.perf_counter() - began, process.cpu_times()
        took = [second * 1_000 for found in talks for second in found.result()]
        cpu_s = spent.user + spent.system - cpu.user - cpu.system
        await asyncio.sleep(1)  # for the server to close its ends
        return Figures(
            len(took) / seconds,
            cpu_s * 1_000 / len(took),
            median(took),
            quantiles(took, n=100)[98],
            memory / 1_024 / sockets,
            process.num_fds() - descriptors,
        )


@asynccontextmanager
async def database(kind: str) -> AsyncIterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Give the commands of both services on an empty database of a kind."""
    if kind == "sqlite":
        with TemporaryDirectory() as folder:
            url = f"sqlite+aiosqlite:///{Path(folder) / 'bench.db'}"
            yield (*OURS, "--database", url), (*PLAIN, f"{url}.plain")
    else:
        async with own_schema() as schema:
            url = POSTGRESQL_URL
            yield (*OURS, "--database", url, "--schema", schema), (*PLAIN, url, schema)


async def pair(kind: str, sockets: int) -> tuple[Figures, Figures]:
    async with database(kind) as (ours, plain):
        return await played(ours, sockets), await played(plain, sockets)


def shown(name: str, figures: list[Figures]) -> str:
    rate, cpu, p50, p99, memory, left = (median(each) for each in zip(*figures, strict=True))
    return (
        f"  {name:6} {rate:8.0f} {cpu:8.2f} {p50:8.0f} {p99:8.0f} {p99 / p50:8.1f} {memory:9.0f}"
        f" {left:5.0f}"
    )


def main() -> None:
    kinds = ["sqlite", *(["postgresql"] if postgresql_runs() else [])]
    sizes = [int(size) for size in sys.argv[1:]] or SOCKETS
    for kind in kinds:
        for sockets in sizes:
            pairs = [asyncio.run(pair(kind, sockets)) for _ in range(PAIRS)]
            ours, plain = zip(*pairs, strict=True)
            print(f"{kind}, {sockets} sockets")
            print("         messages/s   CPU ms  p50 ms   p99 ms  p99/p50  KB/socket  left")
            print(shown("ours", list(ours)))
            print(shown("plain", list(plain)))
            ratios = [one.messages_a_second / two.messages_a_second for one, two in pairs]
            print(f"  messages/s, ours to plain: {median(ratios):.2f}", flush=True)


if __name__ == "__main__":
    main()
