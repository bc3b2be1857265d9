"""A small FastAPI app with a desk for each user, and a driver that calls it in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, ClassVar

from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse
from threadline import Census, Driver, Refuse
from threadline.asgi import Client

from tests.toys.racing import Desks

Io = Callable[[], Awaitable[None]]


def make_api(io: Io, log: list[str], *, races: bool = False) -> FastAPI:
    """Return an app that notes what it sees in a log; with `races`, it awaits in a wrong place."""
    desks: dict[str, str] = {}
    logs: dict[str, list[str]] = {}

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        log.append("starts")
        yield
        log.append("stops")

    app = FastAPI(lifespan=life)
    app.state.desks, app.state.logs = desks, logs

    @app.post("/desks/{user}")
    async def enter(user: str) -> dict[str, str]:
        if not races:
            await io()
        if user not in desks:
            if races:
                await io()
            desks[user] = f"desk {len(desks)} of {user} {len(log)}"
            log.append(f"{user} enters")
        return {"desk": desks[user]}

    @app.delete("/desks/{user}")
    async def leave(user: str) -> dict[str, bool]:
        await io()
        return {"was": desks.pop(user, None) is not None}

    @app.post("/logs/{user}")
    def write(user: str, line: dict[str, str]) -> dict[str, int]:
        logs.setdefault(user, []).append(line["text"])
        return {"number": len(logs[user])}

    _add_the_rest(app, log)
    return app


def _add_the_rest(app: FastAPI, log: list[str]) -> None:
    """Add what streams, raises and echoes."""

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            for part in (b"one ", b"two"):
                yield part

        return StreamingResponse(parts())

    @app.get("/raises")
    async def raises() -> None:
        raise ValueError("not today")

    @app.websocket("/echo")
    async def echo(socket: WebSocket) -> None:
        if socket.headers.get("x-name") == "nobody":
            await socket.close(4401)
            return
        await socket.accept()
        try:
            while (text := await socket.receive_text()) != "bye":
                await socket.send_text(f"echo {text}")
            await socket.close(4000, "as asked")
        except WebSocketDisconnect as gone:
            log.append(f"gone {gone.code}")


class Api(Driver[Desks]):
    """Calls the app; a line is told to its user as it is written."""

    races: ClassVar[bool] = False

    def __init__(self) -> None:
        self._log: list[str] = []
        self._app = make_api(self.io, self._log, races=self.races)
        self._client = Client(self._app, self.io)
        self.pump.call(self._client.start())

    async def enter(self, user: str) -> Any:
        return (await self._called("POST", f"/desks/{user}"))["desk"]

    async def leave(self, user: str) -> Any:
        return (await self._called("DELETE", f"/desks/{user}"))["was"]

    async def write(self, user: str, text: str) -> Any:
        found = await self._called("POST", f"/logs/{user}", json={"text": text})
        self.tell(user, text)
        return found["number"]

    async def _called(self, method: str, path: str, **more: Any) -> Any:
        response = await self._client.request(method, path, **more)
        if response.status != 200:
            raise Refuse(str(response.status))
        return response.json()

    def census(self) -> Census:
        state = self._app.state
        return {"desks": dict(state.desks), "logs": {u: list(of) for u, of in state.logs.items()}}

    def close(self) -> None:
        self.pump.call(self._client.stop())
        super().close()


class RacingApi(Api):
    """Calls an app in which two who enter at once can both find no desk."""

    races = True
