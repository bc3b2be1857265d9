"""Conversations with the service from outside: a real server, real sockets, real databases."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sessions.__main__ import main
from sessions.event import Json
from sessions.web.server import bound
from tests.sessions_apps import ANA, BEN
from tests.sessions_databases import needs_postgresql
from tests.sessions_server import Server, close_code, on, receive, send, serving, stored

AGENT_EVENTS = [
    "agent_started",
    "agent_thinking",
    "tool_executing",
    "tool_completed",
    "agent_completed",
]


# What no database differs in: on the second one it is left to the nightly run.
sqlite_first = pytest.mark.parametrize(
    "kind",
    ["sqlite", pytest.param("postgresql", marks=[needs_postgresql, pytest.mark.slow])],
)


async def begin(server: Server, text: str) -> Json:
    """Send a message in a new conversation, receive its events, and return the thread."""
    async with server.connected(ANA) as far_end:
        thread_id = (await receive(far_end))["thread_id"]
        await send(far_end, "chat", payload={"text": text})
        events = [await receive(far_end) for _ in AGENT_EVENTS]
        assert [event["type"] for event in events] == AGENT_EVENTS
        return thread_id


@sqlite_first
def test_conversation_outlives_its_connection_and_its_server(tmp_path: Path, kind: str) -> None:
    """A dropped peer resumes its thread with its history, and so does one after a restart."""

    async def run() -> None:
        async with stored(tmp_path, kind) as options:
            async with serving(*options) as server:
                thread_id = await talk_and_drop(server)
                await resume(server, thread_id)
            async with serving(*options) as server:
                await resume(server, thread_id)

    asyncio.run(run())


async def talk_and_drop(server: Server) -> Json:
    """Talk once, and vanish without a word; return the thread."""
    async with server.connected(ANA) as far_end:
        connected = await receive(far_end)
        await send(far_end, "chat", message_id="m1", payload={"text": "hello"})
        events = [await receive(far_end) for _ in AGENT_EVENTS]
        await send(far_end, "ping")
        pong = await receive(far_end)
        far_end.transport.abort()

    assert connected["resumed"] is False
    assert [event["type"] for event in events] == AGENT_EVENTS
    assert {event["thread_id"] for event in events} == {connected["thread_id"]}
    assert (events[0]["position"], events[-1]["position"]) == (1, 2)
    assert events[-1]["response"] == "You said: hello"
    assert (pong["type"], pong["thread_id"]) == ("pong", connected["thread_id"])
    return connected["thread_id"]


async def resume(server: Server, thread_id: Json) -> None:
    """Come back to a thread, and find what was said, over the socket and over HTTP."""
    async with server.connected(ANA, on(thread_id)) as far_end:
        connected = await receive(far_end)
        await send(far_end, "get_thread_history")
        history = await receive(far_end)
        status, shown = await server.ask("GET", f"/threads/messages{on(thread_id)}", ANA)

    assert (connected["thread_id"], connected["resumed"]) == (thread_id, True)
    assert status == 200
    assert shown["turns"] == history["turns"]
    assert isinstance(shown["turns"], list)
    assert [turn["text"] for turn in shown["turns"] if isinstance(turn, dict)] == [
        "hello",
        "You said: hello",
    ]


@sqlite_first
def test_second_process_is_refused_until_the_first_is_gone(tmp_path: Path, kind: str) -> None:
    """It ends with one line and status 1; after kill -9 the next has the database at once."""

    async def run() -> None:
        async with stored(tmp_path, kind) as options:
            async with serving(*options) as server:
                second = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "sessions", "--port", "0", *options),
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.PIPE,
                )
                _, told = await second.communicate()
                server.kill()
            assert second.returncode == 1
            (line,) = told.decode().splitlines()
            assert "is served by another process; stop that one" in line
            async with serving(*options) as server:
                await begin(server, "hello")

    asyncio.run(run())


@sqlite_first
def test_another_user_sees_nothing_of_it(tmp_path: Path, kind: str) -> None:
    """The same thread id is a new thread for another user, and theirs is not listed."""

    async def run() -> None:
        async with stored(tmp_path, kind) as options, serving(*options) as server:
            thread_id = await begin(server, "secret")

            assert await server.ask("GET", "/threads", BEN) == (200, {"threads": []})
            assert await server.ask("GET", f"/threads/messages{on(thread_id)}", BEN) == (
                200,
                {"thread_id": thread_id, "turns": []},
            )
            async with server.connected(BEN, on(thread_id)) as far_end:
                assert (await receive(far_end))["resumed"] is False
                await send(far_end, "get_thread_history")
                assert (await receive(far_end))["turns"] == []

    asyncio.run(run())


@sqlite_first
def test_deleted_thread_closes_its_sockets(tmp_path: Path, kind: str) -> None:
    """Who is connected to it is sent away with 4404, and nothing is left to read."""

    async def run() -> None:
        async with stored(tmp_path, kind) as options, serving(*options) as server:
            thread_id = await begin(server, "forget this")
            async with server.connected(ANA, on(thread_id)) as far_end:
                await receive(far_end)
                deleted = await server.ask("DELETE", f"/threads{on(thread_id)}", ANA)
                assert await close_code(far_end) == 4404

            assert deleted == (200, {"thread_id": thread_id, "deleted": True})
            assert await server.ask("GET", "/threads", ANA) == (200, {"threads": []})

    asyncio.run(run())


def test_wrong_token_comes_to_nothing(tmp_path: Path) -> None:
    """A socket is told and closed with 4401, a request answered with 401; no session is made."""

    async def run() -> None:
        async with stored(tmp_path, "sqlite") as options, serving(*options) as server:
            wrong = {"Authorization": "Bearer nobody's"}
            async with server.connected(wrong) as far_end:
                assert (await receive(far_end))["code"] == "unauthorized"
                assert await close_code(far_end) == 4401
            status, told = await server.ask("POST", "/agents/message", wrong, {"text": "hello"})

            assert (status, told["code"], told["thread_id"]) == (401, "unauthorized", None)
            assert await server.ask("DELETE", "/sessions", ANA) == (200, {"ended": 0})

    asyncio.run(run())


def test_frame_that_is_too_large_is_told_of(tmp_path: Path) -> None:
    """One byte too many is answered, and the connection goes on; two close it with 1009."""

    async def run() -> None:
        async with (
            stored(tmp_path, "sqlite") as options,
            serving(*options) as server,
            server.connected(ANA) as far_end,
        ):
            await receive(far_end)
            await far_end.send("x" * 262_145)
            assert (await receive(far_end))["code"] == "too_large"
            await far_end.send("x" * 262_146)
            assert await close_code(far_end) == 1009

    asyncio.run(run())


def test_server_says_goodbye(tmp_path: Path) -> None:
    """A server that is told to end closes its sockets with 1001."""

    async def run() -> None:
        async with (
            stored(tmp_path, "sqlite") as options,
            serving(*options) as server,
            server.connected(ANA) as far_end,
        ):
            await receive(far_end)
            server.end()
            assert await close_code(far_end) == 1001

    asyncio.run(run())


def command(*arguments: str, tokens: str) -> Result:
    return CliRunner().invoke(main, arguments, env={"SESSIONS_TOKENS": tokens})


def test_command_tells_what_it_takes() -> None:
    """The help names each option with its default, and where the tokens come from."""
    shown = command("--help", tokens="").stdout

    assert "--port" in shown
    assert "8000" in shown
    assert "--database" in shown
    assert "sqlite+aiosqlite:///sessions.db" in shown
    assert "SESSIONS_TOKENS" in shown


def test_command_refuses_malformed_tokens() -> None:
    """What is no JSON object is told of in one line, and nothing is served."""
    ended = command("--port", "0", tokens="ana")

    assert ended.exit_code == 1
    assert ended.stderr == (
        "Error: SESSIONS_TOKENS: write a JSON object from token to user, as in "
        '{"a secret": "ana"}\n'
    )


def test_command_refuses_a_database_in_memory() -> None:
    """Its sessions would share their transactions, so the error says what to write instead."""
    ended = command("--database", "sqlite+aiosqlite://", tokens='{"t": "ana"}')

    assert ended.exit_code == 1
    assert "name a file" in ended.stderr


@pytest.mark.parametrize(
    ("database", "told"),
    [
        ("postgresql+asyncpg://ana:secret@127.0.0.1:1/x", "Connect call failed"),
        ("mysql://127.0.0.1/x", "No module named"),
        ("sessions.db", "Could not parse"),
    ],
)
def test_command_tells_of_a_database_that_cannot_be_used(database: str, told: str) -> None:
    """In one line, before there is a server, and without the password."""
    ended = command("--port", "0", "--database", database, tokens='{"t": "ana"}')

    assert ended.exit_code == 1
    assert ended.stderr.startswith("Error: the database cannot be used: ")
    assert told in ended.stderr
    assert "name another with --database" in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert "secret" not in ended.stderr


@pytest.mark.slow
def test_command_tells_of_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    """In a process of its own, as aiosqlite leaves a thread behind where there is no file."""
    ended = subprocess.run(
        [sys.executable, "-m", "sessions", "--database", f"sqlite+aiosqlite:///{tmp_path}/no/x.db"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert ended.returncode == 1
    assert ended.stderr == (
        "Error: the database cannot be used: unable to open database file; start it, or name "
        "another with --database\n"
    )


def test_command_tells_of_a_port_that_is_taken(tmp_path: Path) -> None:
    """With the port, and how to get a free one."""
    with bound(0) as taken:
        port = str(taken.getsockname()[1])
        database = f"sqlite+aiosqlite:///{tmp_path}/x.db"
        ended = command("--port", port, "--database", database, tokens='{"t": "ana"}')

    assert ended.exit_code == 1
    assert f"port {port}: Address already in use" in ended.stderr
    assert "give another, or --port 0" in ended.stderr
