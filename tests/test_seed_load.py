"""The load test of seed 004: a hundred users at once, on a real loop, clock, and SQLite file."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sessions import ChatService, ChatSystem
from sessions.event import Json
from sessions.storage.database import Database
from tests.sessions_peers import Peer
from tests.sessions_subject import frame

USERS = [f"user {number}" for number in range(100)]
MESSAGES = 2
LIMIT_S = 60  # after which the test has failed; it is never waited for else
ANSWER = [
    "agent_started",
    "agent_thinking",
    "tool_executing",
    "tool_completed",
    "agent_completed",
]


class WaitingPeer(Peer):
    """A socket that tells when the agent has answered so many times."""

    def __init__(self, answers: int) -> None:
        super().__init__()
        self.answered = asyncio.Event()
        self._left = answers

    async def send_json(self, data: dict[str, Json]) -> None:
        await super().send_json(data)
        self._left -= data["type"] == "agent_completed"
        if self._left == 0:
            self.answered.set()


async def talk(service: ChatService, user: str) -> WaitingPeer:
    """Connect, say all at once, and wait for the last answer."""
    peer = WaitingPeer(MESSAGES)
    await service.handle_websocket_connection(peer, user)
    for number in range(MESSAGES):
        await service.receive(peer, frame("user_message", {"text": f"{number} of {user}"}))
    await peer.answered.wait()
    return peer


async def talk_of_all(folder: Path) -> tuple[list[WaitingPeer], ChatSystem]:
    system = ChatSystem()
    url = f"sqlite+aiosqlite:///{folder / 'sessions.db'}"
    database = Database(system.clock, system.settings, url)
    async with ChatService(system, database=database) as service, asyncio.timeout(LIMIT_S):
        peers = await asyncio.gather(*(talk(service, user) for user in USERS))
        assert len(system.census().managers) == len(USERS)
    return peers, system


def test_a_hundred_users_at_once(tmp_path: Path) -> None:
    """
    Load testing, 100+ concurrent users: each gets all events of its own in order, and no other.
    """
    peers, system = asyncio.run(talk_of_all(tmp_path))

    assert [peer.kinds() for peer in peers] == [["connected", *ANSWER * MESSAGES]] * 100
    assert [
        [event["response"] for event in peer.received if "response" in event] for peer in peers
    ] == [
        [f"You said: 0 of {user}", f"You said: 1 of {user} Before that: 0 of {user}"]
        for user in USERS
    ]
    assert len({event["thread_id"] for peer in peers for event in peer.received}) == 100
    assert all(len({event["thread_id"] for event in peer.received}) == 1 for peer in peers)
    assert system.metrics().contexts_created == 100
    assert system.metrics().mismatches == 0
