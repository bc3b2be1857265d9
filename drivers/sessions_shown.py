"""What an outcome tells of a context, a session or an id of the session manager."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import fields
from typing import Any

from sessions import UserExecutionContext
from sessions.registry import SessionData

START_S = 1_700_000_000.0


def shown_context(context: UserExecutionContext) -> dict[str, object]:
    """Return what a holder can read of a context, without what it has not."""
    seen: dict[str, object] = {
        "context": context,
        "user": context.user_id,
        "thread": context.thread_id,
        "run": context.run_id,
        "request": context.request_id,
        "client": context.websocket_client_id,
        "created_s": context.created_at - START_S,
    }
    optional = {
        "connection": context.websocket_connection_id,
        "additional": dict(context.additional_context),
        "depth": context.operation_depth,
        "ids that tell the user": ids_that_tell(context),
    }
    return seen | {name: value for name, value in optional.items() if value}


def ids_that_tell(context: UserExecutionContext) -> list[str]:
    """Return the ids of a context that have its user's id between two parts of theirs."""
    ids = context.thread_id, context.run_id, context.request_id
    return [each for each in ids if f"_{context.user_id}_" in each]


def shown_session(data: SessionData | None) -> dict[str, object] | None:
    """Return the ids of a session, if there is one."""
    if data is None:
        return None
    return {"thread": data["thread_id"], "run": data["run_id"], "request": data["request_id"]}


def tampered(context: UserExecutionContext) -> UserExecutionContext:
    """Return a context after having tried to change all that it holds."""
    for field in fields(context):
        with suppress(AttributeError, TypeError):
            setattr(context, field.name, "tampered with")
    additional: Any = context.additional_context
    with suppress(TypeError):
        additional["more"] = "tampered with"
    for value in additional.values():
        with suppress(AttributeError):
            value.append("tampered with")
    return context


def shown_form(made: str, *, has_random: bool = True) -> dict[str, object]:
    """Return the parts of a generated id that are the same in every run.

    Raises ValueError for what is not of the form prefix_ms_n_hex, or without hex.
    """
    prefix, ms, number, *random = made.rsplit("_", 3 if has_random else 2)
    if len(ms) != 13 or not number.isdigit() or any(int(digits, 16) < 0 for digits in random):
        raise ValueError(f"{made!r} is not of the form prefix_ms_n or prefix_ms_n_hex")
    return {
        "prefix": prefix,
        "made_s": int(ms) / 1000 - START_S,
        "random": sum(map(len, random)),
    }
