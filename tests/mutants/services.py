"""Chat services of which one line has a bug."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from drivers.service import ServiceDriver
from sessions.context import UserExecutionContext, WebSocketContext
from sessions.messages.message import Message
from tests.mutants import line as of

ANEW = "from tests.mutants.services import asked_anew, new_context, on_new_context\n"  # in `new`

line = partial(of.line, ServiceDriver, "sessions")
leak = partial(of.leak, ServiceDriver, "sessions")


def new_context(context: UserExecutionContext) -> UserExecutionContext:
    """Return what the seeds call a new context: the same user, on a thread and a run made up.

    The request's id makes them up, as it is another in each message and the same in each replay.
    """
    request_id = context.request_id
    return replace(context, thread_id=f"thread_{request_id}", run_id=f"run_{request_id}")


def on_new_context(message: Message) -> Message:
    return replace(message, context=new_context(message.context))


def asked_anew(asked: WebSocketContext) -> WebSocketContext:
    return replace(asked, context=new_context(asked.context))
