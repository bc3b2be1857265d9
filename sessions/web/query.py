"""Read the query of a request, so that no two different values look the same."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.requests import HTTPConnection


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
