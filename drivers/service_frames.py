"""What a user's client sends for an operation: frames over a WebSocket, bodies over HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping

Body = Mapping[str, object]


def frame(
    kind: str, payload: Body, thread: str | None, run: str | None = None, message: str | None = None
) -> str:
    """Return the frame of this type, without what is not given."""
    own = given(payload)
    return json.dumps(
        {"type": kind, **({"payload": own} if own else {}), **ids(thread, run, message)}
    )


def body(text: str, thread: str | None, run: str | None, message: str | None) -> Body:
    """Return the body of a posted message, without what is not given."""
    return {"text": text, **ids(thread, run, message)}


def ids(thread: str | None, run: str | None, message: str | None) -> Body:
    return given({"thread_id": thread, "run_id": run, "message_id": message})


def given(fields: Body) -> Body:
    return {name: value for name, value in fields.items() if value is not None}
