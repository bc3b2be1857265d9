"""Read the query and the body of a request."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.requests import HTTPConnection, Request

from sessions.errors import BadMessageError
from sessions.event import Json
from sessions.messages.envelope import parsed

# More of them are no length of anything.
DIGITS_MAX = 15


def query_value(request: HTTPConnection, name: str) -> str | None:
    """Return the last value of a parameter, or None; bytes that are not UTF-8 make no good id.

    They become lone surrogates, which every rule of ids and texts refuses.
    """
    query: bytes = request.scope["query_string"]
    found = parse_qs(
        query.decode("utf-8", "surrogateescape"), keep_blank_values=True, errors="surrogateescape"
    )
    return found[name][-1] if name in found else None


def query_number(request: HTTPConnection, name: str) -> int | str | None:
    """Return a parameter as a whole number if it is written as one, and else as it is."""
    value = query_value(request, name)
    is_number = value is not None and value.isascii() and value.isdigit() and len(value) < 10
    return int(value) if value is not None and is_number else value


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
