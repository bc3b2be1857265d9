"""The far ends of connections, in memory: sockets that stall, break and come back."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable, Hashable, Mapping

from models.session_manager.plain_data import spoil
from models.session_manager.socket_faults import BRIEF, BROKEN, STALLED, WELL
from sessions.context import UserExecutionContext

Tell = Callable[[Hashable, dict[str, object]], None]


class Socket:
    """One socket; what befalls its peer is a word of models.session_manager.socket_faults.

    Whatever it is sent is its own: it is told, and changed.
    """

    user_context: UserExecutionContext  # set by connecting

    def __init__(self, sockets: Sockets, peer: str) -> None:
        self._sockets = sockets
        self._peer = peer
        self._changed = asyncio.Event()

    @property
    def name(self) -> str:
        """The id of its connection."""
        return self.user_context.websocket_connection_id or ""

    async def send_json(self, data: Mapping[str, object]) -> None:
        while self._peer == STALLED:
            self._changed.clear()
            await self._changed.wait()
        if self._peer == BROKEN:
            raise ConnectionResetError("the peer is gone")
        if self._peer == BRIEF:
            self._peer = BROKEN
        self._sockets.tell(self, copy.deepcopy(dict(data)))
        spoil(data)
        await self._sockets.io()  # it has arrived, and nobody knows that yet

    async def close(self, code: int) -> None:
        self._sockets.open.pop(self, None)
        self._sockets.closed[self] = code

    def stall(self) -> None:
        self._turn(STALLED, only_from=(WELL,))

    def resume(self) -> None:
        self._turn(WELL, only_from=(STALLED,))

    def cut(self) -> None:
        self._turn(BROKEN, only_from=(WELL, STALLED))

    def mend(self) -> None:
        self._turn(WELL, only_from=(BROKEN,))

    def _turn(self, peer: str, only_from: tuple[str, ...]) -> None:
        if self._peer in only_from:
            self._peer = peer
            self._changed.set()


class Sockets:
    """The open sockets of one system, and those that were closed since last asked.

    What a socket takes is told to `tell`, after `io`, as sending takes time.
    """

    def __init__(self, tell: Tell, io: Callable[[], Awaitable[None]]) -> None:
        self.open: dict[Socket, None] = {}
        self.closed: dict[Socket, int] = {}
        self.tell = tell
        self.io = io

    def make(self, peer: str) -> Socket:
        socket = Socket(self, peer)
        self.open[socket] = None
        return socket

    def forget(self, socket: Socket) -> None:
        """Remove the socket of a peer that is gone, or that was refused."""
        self.open.pop(socket, None)

    def take_closed(self) -> dict[Socket, int]:
        closed, self.closed = self.closed, {}
        return closed
