"""The far ends of connections, and a system for them to meet."""

from __future__ import annotations

import asyncio
from itertools import count

from sessions.event import Json
from sessions.session_manager import ChatSystem
from sessions.settings import Settings
from tests.sessions_clock import ManualClock


class Peer:
    """A socket that takes everything, and remembers it."""

    def __init__(self) -> None:
        self.received: list[dict[str, Json]] = []
        self.close_code: int | None = None

    async def send_json(self, data: dict[str, Json]) -> None:
        self.received.append(data)

    async def close(self, code: int) -> None:
        self.close_code = code

    def kinds(self) -> list[Json]:
        return [event["type"] for event in self.received]

    def texts(self) -> list[Json]:
        return [event["text"] for event in self.received if "text" in event]


class StalledPeer(Peer):
    """A socket that takes nothing until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.reading = asyncio.Event()

    async def send_json(self, data: dict[str, Json]) -> None:
        await self.reading.wait()
        await super().send_json(data)


class BrokenPeer(Peer):
    """A socket that takes connected, and raises at everything after it."""

    async def send_json(self, data: dict[str, Json]) -> None:
        if self.received:
            raise ConnectionResetError("the peer has gone")
        await super().send_json(data)


def make_system(settings: Settings | None = None) -> tuple[ChatSystem, ManualClock]:
    """Return a system on a manual clock, with the same entropy each time, and the clock."""
    clock = ManualClock()
    bytes_made = count()
    return ChatSystem(
        settings, clock, entropy=lambda size: next(bytes_made).to_bytes(8, "big")[-size:]
    ), clock
