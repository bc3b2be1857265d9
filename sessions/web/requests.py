"""Read a request: whose token it carries, its query and its body."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from urllib.parse import parse_qs

from starlette.requests import HTTPConnection, Request

from sessions.context import check_id
from sessions.errors import BadMessageError
from sessions.event import Json
from sessions.messages.message import parsed

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


class Tokens:
    """Whose each token is; a token says nothing by how long it takes to be refused."""

    def __init__(self, users: Mapping[str, str]) -> None:
        self._users = [(token.encode(), user_id) for token, user_id in users.items() if token]

    def user_of(self, request: HTTPConnection) -> str:
        """Return the user whose token a request carries; raises BadMessageError (unauthorized).

        A user_id in its query must be that user's.
        """
        user_id = self._owner(self._given(request))
        if user_id is None:
            raise BadMessageError(
                "unauthorized", "give a valid token, as in Authorization: Bearer ..."
            )
        check_user(user_id, query_value(request, "user_id"))
        return user_id

    def _given(self, request: HTTPConnection) -> bytes:
        """Return the token, or nothing unless there is exactly one."""
        headers = request.headers.getlist("authorization")
        scheme, _, token = headers[0].partition(" ") if len(headers) == 1 else ("", "", "")
        return token.strip().encode("latin-1") if scheme.lower() == "bearer" else b""

    def _owner(self, given: bytes) -> str | None:
        # Over all, so that the time does not tell how far the right one is down the list.
        owners = [user_id for token, user_id in self._users if hmac.compare_digest(token, given)]
        return owners[0] if owners else None


def check_user(user_id: str, sent: Json) -> None:
    """Raise BadMessageError (unauthorized) if a request names another user than its token's."""
    if sent is not None and sent != user_id:
        raise BadMessageError("unauthorized", "user_id is not the user of the token; leave it out")


def tokens_from(text: str) -> dict[str, str]:
    """Return whose each token is, by a JSON object; raises ValueError, and tells no token."""
    try:
        found: object = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not found or "" in found:
        raise ValueError('write a JSON object from token to user, as in {"a secret": "ana"}')
    for user_id in found.values():
        check_id("user_id", user_id)
    return found
