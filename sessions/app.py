"""The chat service as an ASGI app."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from sessions.errors import BadMessageError
from sessions.service import ChatService
from sessions.web import openapi
from sessions.web.http import HttpRoutes
from sessions.web.metrics_text import Exposition
from sessions.web.requests import Tokens
from sessions.web.responses import left_early, not_allowed, refused
from sessions.web.websocket import WebSocketRoute


def create_app(service: ChatService | None = None) -> FastAPI:
    """Return an app that serves a service, which starts and stops with it.

    Without one it is a service with all defaults, whose settings know no token.
    """
    service = service or ChatService()
    tokens = Tokens(service.settings.tokens)
    exposition = Exposition(service)
    app = FastAPI(
        title="Chat sessions",
        lifespan=_life_of(service),
        # Their pages load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
    )

    async def health() -> dict[str, str]:
        return {"status": "ok"}

    async def ready() -> Response:
        problem = await service.readiness.problem()
        if problem is None:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "unready", "reason": problem}, 503)

    async def metrics() -> Response:
        return Response(exposition.text(), media_type=CONTENT_TYPE_LATEST)

    app.add_api_route("/health", health, response_model=openapi.Health)
    app.add_api_route("/ready", ready, **openapi.READY)
    app.add_api_route("/metrics", metrics, response_class=Response, **openapi.METRICS)
    app.include_router(HttpRoutes(service, tokens).router)
    app.add_api_websocket_route("/ws", WebSocketRoute(service, tokens).serve)
    app.add_exception_handler(BadMessageError, refused)
    app.add_exception_handler(ClientDisconnect, left_early)
    app.add_exception_handler(405, not_allowed)
    return app


def _life_of(service: ChatService) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        async with service:
            yield

    return life
