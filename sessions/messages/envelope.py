"""What every message is wrapped in (the contract, Messages)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sessions.errors import BadMessageError
from sessions.event import Json
from sessions.ids import check_optional_id
from sessions.messages.payloads import PAYLOADS

IDS = ("thread_id", "run_id", "message_id")


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids that a message carries; None for those that it does not."""

    thread_id: str | None
    run_id: str | None
    message_id: str | None


def parsed(data: str | bytes, bytes_max: int) -> dict[str, Json]:
    """Return the object that a frame holds; raises BadMessageError (too_large, bad_json)."""
    raw = data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")
    if len(raw) > bytes_max:
        raise BadMessageError("too_large", f"a message has at most {bytes_max:,} bytes")
    try:
        found: Any = json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BadMessageError("bad_json", f"the message is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise BadMessageError("bad_json", "the message must be a JSON object")
    return found


def kind_of(envelope: Mapping[str, Json]) -> str:
    """Return the type of a message; raises BadMessageError (bad_type)."""
    kind = envelope.get("type")
    if not isinstance(kind, str) or kind not in PAYLOADS:
        known = ", ".join(sorted(PAYLOADS))
        raise BadMessageError("bad_type", f"type must be one of {known}")
    return kind


def ids_of(envelope: Mapping[str, Json], payload: Mapping[str, Json]) -> Ids:
    """Return the ids of a message: the envelope's own, or else those in its payload.

    Absent, null and empty all mean that there is none. Raises InvalidContextError.
    """
    return Ids(*(_id(name, envelope.get(name), payload.get(name)) for name in IDS))


def _id(name: str, *given: Json) -> str | None:
    found = next((value for value in given if value is not None and value != ""), None)
    check_optional_id(name, found)
    return found if isinstance(found, str) else None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
