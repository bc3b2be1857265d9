"""Find out who asks, by the bearer token of the request."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping

from starlette.requests import HTTPConnection

from sessions.errors import BadMessageError
from sessions.event import Json
from sessions.ids import check_id
from sessions.web.requests import query_value


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
