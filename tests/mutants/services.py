"""Make a chat service of which one line, or one part, has a bug."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from threadline.campaign.change import Change
from threadline.campaign.mutant import Mutant
from threadline.scenario import Scenario

from drivers.service import ServiceDriver
from sessions.agents.websocket_context import WebSocketContext
from sessions.context import UserExecutionContext
from sessions.queue.message import Message
from sessions.service import ChatService
from sessions.service_parts import ServiceMakers
from tests.mutants.least import by_signature
from tests.mutants.parts import PartMutant

ANEW = "from tests.mutants.services import asked_anew, new_context, on_new_context\n"  # in `new`


def line(
    name: str,
    bug: str,
    function: str,
    *,
    old: str,
    new: str,
    scenario: type[Scenario[Any]],
    also: tuple[Change, ...] = (),
    **least: int | tuple[int, ...],
) -> Mutant:
    """Return a chat service of which one function is changed; `least` as in service_mutant()."""
    path, signatures = f"sessions.{function}", by_signature(least)
    return Mutant(name, bug, path, old, new, ServiceDriver, scenario, signatures, also=also)


def service_mutant(
    part: str, scenario: type[Scenario[Any]], *, leaks: str = "", **least: int | tuple[int, ...]
) -> Callable[[type[Any]], Mutant]:
    """Make a class a mutant: the service's `part` is made by it instead; "service" is all of it.

    `least` says in how many steps of the scenario each signature shows it. One that `leaks` on a
    path says so, and `steps` in how many.
    """

    def decorate(broken: type[Any]) -> Mutant:
        parts: dict[str, Any] = {part: broken}
        make = broken if part == "service" else partial(ChatService, makers=ServiceMakers(**parts))
        signatures = by_signature(least)
        if leaks:
            signatures = {f"memory-{leaks}": least["steps"]}
        return PartMutant(
            broken.__name__,
            broken.__doc__ or "",
            partial(ServiceDriver, make),
            scenario,
            signatures,
            leaks=bool(leaks),
        )

    return decorate


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
