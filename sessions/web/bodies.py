"""Read the body of a request, and no more of it than is allowed."""

from __future__ import annotations

from starlette.requests import Request

from sessions.errors import BadMessageError
from sessions.event import Json
from sessions.messages.envelope import parsed


async def read_object(request: Request, bytes_max: int) -> dict[str, Json]:
    """Return the JSON object of a body; raises BadMessageError (too_large, bad_json)."""
    return parsed(await _read(request, bytes_max), bytes_max)


async def _read(request: Request, bytes_max: int) -> bytes:
    """Read a body, up to the first piece that makes it too large."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > bytes_max:
        raise BadMessageError("too_large", f"a body has at most {bytes_max:,} bytes")
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > bytes_max:
            break
    return body
