"""A server that has nothing to do any more, and nothing open for anybody."""

from __future__ import annotations

import asyncio

import psutil

from tests.sessions_server import PATIENCE_S, Server

GAUGES = ("connections_live", "database_sessions_open", "database_places_taken", "queue_length")


async def until_quiet(server: Server) -> None:
    """Wait until nothing is connected, queued, or in a transaction, and no socket is left open."""
    process = psutil.Process(server.pid)
    async with asyncio.timeout(PATIENCE_S):
        while True:
            shown = await server.metrics()
            is_idle = not any(shown[f"sessions_{name}"] for name in GAUGES)
            if is_idle and has_no_peers(process, server):
                return


def has_no_peers(process: psutil.Process, server: Server) -> bool:
    """Return whether the server has let go of every socket on its port."""
    mine = (each for each in process.net_connections() if each.laddr.port == server.port)
    return all(each.status == psutil.CONN_LISTEN for each in mine)
