"""Run an app on this machine alone, until it is told to stop."""

from __future__ import annotations

import logging
import socket
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.config import LOGGING_CONFIG

from sessions.service import ChatService
from sessions.web.limits import server_options

HOST = "127.0.0.1"
# For requests that came while the service stopped; our choice.
END_TIMEOUT_S = 5


class Server(uvicorn.Server):
    """Lets the service tell its sockets goodbye, before the server would hang up on them.

    Otherwise those would close with the server's own code, and a request whose agent takes long
    would hold up the end for as long.
    """

    def __init__(self, config: uvicorn.Config, service: ChatService) -> None:
        super().__init__(config)
        self._service = service

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        await self._service.stop()
        await super().shutdown(sockets)


class PeersFaults(logging.Filter):
    """Takes the traceback from a line of the server's log about what a peer has sent."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and isinstance(record.exc_info[1], UnicodeDecodeError):
            record.exc_info = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


LOGGING: dict[str, Any] = {
    **LOGGING_CONFIG,
    "filters": {"peers_faults": {"()": PeersFaults}},
    "loggers": {
        **LOGGING_CONFIG["loggers"],
        "uvicorn.error": {"level": "INFO", "filters": ["peers_faults"]},
    },
}


def bound(port: int) -> socket.socket:
    """Return a socket on a port, or on one that is free for port 0; raises OSError."""
    return socket.create_server((HOST, port))


def make_server(app: FastAPI, service: ChatService) -> Server:
    """Return a server for an app, whose peers are held to the limits of its service."""
    config = uvicorn.Config(
        app,
        timeout_graceful_shutdown=END_TIMEOUT_S,
        log_config=LOGGING,
        **server_options(service.settings, service.refusals),
    )
    return Server(config, service)
