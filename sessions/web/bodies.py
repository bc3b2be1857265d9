"""Read the body of a request, and no more of it than is allowed."""

from __future__ import annotations

from starlette.requests import Request

from sessions.errors import BadMessageError
from sessions.event import Json
from sessions.messages.envelope import parsed

# More of them are no length of anything.
DIGITS_MAX = 15


async def read_object(request: Request, bytes_max: int) -> dict[str, Json]:
    """Return the JSON object of a body; raises BadMessageError (too_large, bad_json)."""
    return parsed(await _read(request, bytes_max), bytes_max)


async def _read(request: Request, bytes_max: int) -> bytes:
    """Read a body, up to the first piece that makes it too large."""
    if _says_more_than(bytes_max, request.headers.get("content-length", "")):
        raise BadMessageError("too_large", f"a body has at most {bytes_max:,} bytes")
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > bytes_max:
            break
    return body


def _says_more_than(bytes_max: int, length: str) -> bool:
    is_number = length.isascii() and length.isdigit()
    return is_number and (len(length) > DIGITS_MAX or int(length) > bytes_max)
