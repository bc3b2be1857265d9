"""What the service makes of each message, over real storage."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sessions.event import Json
from sessions.settings import Settings
from tests.service_desk import serving


def test_text_is_kept_as_it_was_given(tmp_path: Path) -> None:
    """Nothing is trimmed, folded, normalised or escaped on the way into the history and back."""
    text = "  \u00e9 e\u0301 <b>&amp;</b>\r\n\t\U0001f600 %s {0} '; --  "

    async def run() -> None:
        async with serving(tmp_path) as desk:
            peer = await desk.connect()
            await desk.ask(peer, text)
            await desk.send(peer, "get_thread_history", limit=2)
            history = await peer.until("thread_history")

            turns = history["turns"]
            assert isinstance(turns, list)
            assert [turn["text"] for turn in turns if isinstance(turn, dict)] == [
                text,
                f"You said: {text}",
            ]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", "bad_json"),
        ("[]", "bad_json"),
        (b"\xff", "bad_json"),
        ('{"type": "chat", "payload": {"text": NaN}}', "bad_json"),
        ("{}", "bad_type"),
        ('{"type": "dance"}', "bad_type"),
        ('{"type": ["chat"]}', "bad_type"),
        ('{"type": "chat", "payload": []}', "bad_payload"),
        ('{"type": "chat", "payload": {"text": ""}}', "bad_payload"),
        ('{"type": "chat", "payload": {"text": "a\\u0000"}}', "bad_payload"),
        ('{"type": "chat", "payload": {"text": "\\ud800"}}', "bad_payload"),
        ('{"type": "chat", "payload": {"text": "a", "references": [1]}}', "bad_payload"),
        ('{"type": "get_thread_history", "payload": {"limit": true}}', "bad_payload"),
        ('{"type": "get_thread_history", "payload": {"limit": 501}}', "bad_payload"),
        ('{"type": "chat", "payload": {"text": "a"}, "thread_id": 0}', "bad_id"),
        ('{"type": "chat", "payload": {"text": "a", "run_id": "null"}}', "bad_id"),
        ('{"type": "chat", "payload": {"text": "a"}, "message_id": []}', "bad_id"),
        ('{"type": "ping", "thread_id": "undefined"}', "bad_id"),
        ('{"type": "stop_agent"}', "nothing_to_stop"),
    ],
)
def test_refused_message_is_told_by_code_and_changes_nothing(
    tmp_path: Path, frame: str | bytes, code: str
) -> None:
    """The error names the connection's own thread, and no session is made or renamed."""

    async def run() -> None:
        async with serving(tmp_path) as desk:
            peer = await desk.connect()
            before = desk.service.system.census().sessions
            await desk.service.receive(peer, frame)
            error = await peer.until("error")

            assert (error["code"], error["thread_id"]) == (code, "t")
            assert desk.service.system.census().sessions == before
            assert desk.service.metrics().system.messages == 0

    asyncio.run(run())


@pytest.mark.parametrize(("size", "code"), [(65, "bad_type"), (66, "too_large")])
def test_size_limit_counts_bytes(tmp_path: Path, size: int, code: str) -> None:
    """A frame of as many bytes as allowed is read; one byte more, and it is not."""

    async def run() -> None:
        async with serving(tmp_path, Settings(message_bytes_max=65)) as desk:
            peer = await desk.connect()
            frame = '{"type": "\u00e9"}'
            await desk.service.receive(peer, frame + " " * (size - len(frame.encode())))

            assert (await peer.until("error"))["code"] == code

    asyncio.run(run())


@pytest.mark.parametrize("empty", [None, ""])
def test_top_level_ids_win_unless_they_are_empty(tmp_path: Path, empty: Json) -> None:
    """An id of the envelope counts before the payload's; null and empty leave it to that."""

    async def run() -> None:
        async with serving(tmp_path) as desk:
            peer = await desk.connect()
            said = '"payload": {"text": "a", "thread_id": "inner"}'
            await desk.service.receive(peer, f'{{"type": "chat", "thread_id": "outer", {said}}}')
            first = await peer.until("agent_completed")
            given = "null" if empty is None else '""'
            await desk.service.receive(peer, f'{{"type": "chat", "thread_id": {given}, {said}}}')
            second = await peer.until("agent_completed", 2)

            assert (first["thread_id"], second["thread_id"]) == ("outer", "inner")

    asyncio.run(run())
