"""Turn what a route answers into what goes over HTTP."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from sessions.errors import BadMessageError
from sessions.event import Json
from sessions.routes import Reply, refusal

JSON_LINES = "application/x-ndjson"
logger = logging.getLogger(__name__)


def response_of(reply: Reply) -> Response:
    """Return a route's answer as a response."""
    headers = {"WWW-Authenticate": "Bearer"} if reply.status == 401 else None
    return Response(encoded(reply.body), reply.status, headers, "application/json")


def stream_of(events: AsyncIterator[Mapping[str, Json]]) -> Response:
    """Return a response that sends each event as a line of JSON, as it comes."""
    return StreamingResponse(_lines(events), media_type=JSON_LINES)


async def refused(_: Request, error: Exception) -> Response:
    """Answer a request that came to no route."""
    assert isinstance(error, BadMessageError)  # it is registered for these alone
    return response_of(refusal(error))


async def not_allowed(request: Request, error: Exception) -> Response:
    """Answer a method that a path does not have with all those that it has, in Allow.

    The router names only those of the first route of the path. OPTIONS asks for nothing else.
    """
    assert isinstance(error, HTTPException)  # it is registered for the status of these alone
    named = (error.headers or {}).get("Allow", "").split(", ")
    route = request.scope.get("route")
    described = request.app.openapi()["paths"].get(route.path, {}) if route else {}
    methods = {"OPTIONS", *named, *(method.upper() for method in described)}
    headers = {"Allow": ", ".join(sorted(methods))}
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=headers)
    return JSONResponse({"detail": error.detail}, error.status_code, headers)


async def left_early(request: Request, _: Exception) -> Response:
    """Answer a peer whose body came to no end, and who has gone; the log has a line."""
    route = f"{request.method} {request.scope['path']!r}"
    logger.warning("a body came to no end: %s", route)
    return Response(status_code=400)


def encoded(body: Mapping[str, Json]) -> str:
    """Return JSON in ASCII, as a refused id that is told may not be fit for UTF-8."""
    return json.dumps(dict(body), separators=(",", ":"))


async def _lines(events: AsyncIterator[Mapping[str, Json]]) -> AsyncIterator[str]:
    try:
        async for event in events:
            yield encoded(event) + "\n"
    finally:
        # At once when the peer has gone, as nobody waits for what comes.
        if isinstance(events, AsyncGenerator):
            await events.aclose()
