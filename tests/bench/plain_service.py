"""The plainest chat service of FastAPI and SQLAlchemy: it stores two turns, and answers."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI, WebSocket
from sqlalchemy import Column, Integer, MetaData, Table, Text, insert
from sqlalchemy.ext.asyncio import create_async_engine
from starlette.websockets import WebSocketDisconnect

from sessions.web.server import HOST, bound

METADATA = MetaData()
TURNS = Table(
    "plain_turns",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("thread_id", Text, nullable=False, index=True),
    Column("role", Text, nullable=False),
    Column("text", Text, nullable=False),
)


def make_app(url: str, schema: str | None) -> FastAPI:
    # With the five seconds of SQLite's driver, some of 100 writers find the database locked.
    waits = {"timeout": 60} if url.startswith("sqlite") else {}
    engine = create_async_engine(url, connect_args=waits, pool_timeout=600)
    engine = engine.execution_options(schema_translate_map={None: schema})

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        async with engine.begin() as connection:
            await connection.run_sync(METADATA.create_all)
        yield
        await engine.dispose()

    app = FastAPI(lifespan=life)

    async def store(thread_id: str, role: str, text: str) -> None:
        async with engine.begin() as connection:
            await connection.execute(
                insert(TURNS), {"thread_id": thread_id, "role": role, "text": text}
            )

    @app.websocket("/ws")
    async def converse(websocket: WebSocket, thread_id: str) -> None:
        await websocket.accept()
        await websocket.send_json({"type": "connected"})
        try:
            while True:
                text = (await websocket.receive_json())["payload"]["text"]
                await store(thread_id, "user", text)
                await websocket.send_json({"type": "agent_started"})
                reply = f"You said: {text}"
                await store(thread_id, "agent", reply)
                await websocket.send_json({"type": "agent_completed", "response": reply})
        except WebSocketDisconnect:
            return

    return app


if __name__ == "__main__":
    url, *schemas = sys.argv[1:]
    listening = bound(0)
    print(f"listening on http://{HOST}:{listening.getsockname()[1]}", flush=True)
    config = uvicorn.Config(
        make_app(url, schemas[0] if schemas else None), ws="websockets-sansio", log_level="warning"
    )
    uvicorn.Server(config).run([listening])
