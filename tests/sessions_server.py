"""The service as a process of its own, and a far end that talks with it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from prometheus_client.parser import text_string_to_metric_families
from websockets.asyncio.client import ClientConnection, connect

from sessions.event import Json
from tests.sessions_apps import TOKENS
from tests.sessions_databases import POSTGRESQL_URL, own_schema

Event: TypeAlias = dict[str, Json]
# For anything that a server on this machine does; reached only by one that hangs.
PATIENCE_S = 600
OURS = (sys.executable, "-m", "sessions", "--port", "0")


class Server:
    """A running server: where it listens, what it logs, and how to ask it."""

    def __init__(self, process: Process) -> None:
        self.address = ""
        self.log: list[str] = []
        self._process = process
        self._logged = asyncio.Condition()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    async def logged(self, text: str) -> str:
        """Return the first line of the log that has a text, once it is there."""
        async with asyncio.timeout(PATIENCE_S), self._logged:
            while True:
                found = next((line for line in self.log if text in line), None)
                if found is not None:
                    return found
                await self._logged.wait()

    async def read_log(self, stream: asyncio.StreamReader) -> None:
        """Take in what the process writes to a stream, so that it never has to wait."""
        while line := await stream.readline():
            async with self._logged:
                self.log.append(line.decode().rstrip())
                self._logged.notify_all()

    def end(self) -> None:
        """Send SIGTERM to the process, and to no other."""
        if self._process.returncode is None:
            self._process.terminate()

    def kill(self) -> None:
        """End the process, and no other, by SIGKILL."""
        self._process.kill()

    async def ended(self) -> int:
        """Wait for the end of the process, and return its exit status."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._process.wait()

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: object = None
    ) -> tuple[int, Event]:
        """Send a request over HTTP, and return the status and the JSON of its answer."""
        return await asyncio.to_thread(self._ask, method, path, headers, body)

    async def metrics(self) -> dict[str, float]:
        """Return what /metrics shows, by name; what has a label is `name{value}`."""
        text = await asyncio.to_thread(self._metrics)
        return {
            f"{sample.name}{{{','.join(sample.labels.values())}}}"
            if sample.labels
            else sample.name: sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    @asynccontextmanager
    async def connected(
        self, headers: Mapping[str, str], query: str = ""
    ) -> AsyncIterator[ClientConnection]:
        address = f"ws://{self.address}/ws{query}"
        async with connect(address, additional_headers=headers) as far_end:
            yield far_end

    def _metrics(self) -> str:
        with urlopen(f"http://{self.address}/metrics", timeout=PATIENCE_S) as answer:
            text: str = answer.read().decode()
        return text

    def _ask(
        self, method: str, path: str, headers: Mapping[str, str], body: object
    ) -> tuple[int, Event]:
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"http://{self.address}{path}", data, dict(headers), method=method)
        try:
            with urlopen(request, timeout=PATIENCE_S) as answer:
                return answer.status, json.loads(answer.read())
        except HTTPError as error:
            with error:
                return error.code, json.loads(error.read())


@asynccontextmanager
async def serving(
    *options: str, command: Sequence[str] = OURS, tokens: Mapping[str, str] = TOKENS
) -> AsyncIterator[Server]:
    """Run `python -m sessions`, or another command, on a free port; end it by a signal to it alone.

    A server that ends at once has no address; its log has why.
    """
    process = await asyncio.create_subprocess_exec(
        *(*command, *options),
        env={**os.environ, "SESSIONS_TOKENS": json.dumps(dict(tokens))},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None  # these are pipes
    assert process.stderr is not None
    server = Server(process)
    reading = [asyncio.create_task(server.read_log(process.stderr))]
    try:
        async with asyncio.timeout(PATIENCE_S):
            line = await process.stdout.readline()
        server.address = line.decode().strip().partition("http://")[2]
        reading.append(asyncio.create_task(server.read_log(process.stdout)))
        yield server
    finally:
        server.end()
        async with asyncio.timeout(PATIENCE_S):
            await process.wait()
            await asyncio.gather(*reading)


def on(thread_id: Json) -> str:
    return "?" + urlencode({"thread_id": thread_id})


@asynccontextmanager
async def stored(folder: Path, kind: str) -> AsyncIterator[tuple[str, ...]]:
    """Give the options by which servers find one database, which begins empty."""
    if kind == "sqlite":
        yield ("--database", f"sqlite+aiosqlite:///{folder / 'sessions.db'}")
    else:
        async with own_schema() as schema:
            yield ("--database", POSTGRESQL_URL, "--schema", schema)


async def send(far_end: ClientConnection, kind: str, **fields: Json) -> None:
    await far_end.send(json.dumps({"type": kind, **fields}))


async def receive(far_end: ClientConnection) -> Event:
    async with asyncio.timeout(PATIENCE_S):
        event: Event = json.loads(await far_end.recv())
    return event


async def close_code(far_end: ClientConnection) -> int | None:
    """Wait until the server has closed, and return the code by which it did."""
    async with asyncio.timeout(PATIENCE_S):
        await far_end.wait_closed()
    return far_end.close_code
