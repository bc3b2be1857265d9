"""Contexts, and ways to them, with one bug each."""

from __future__ import annotations

from threadline.campaign.mutant import Mutant

from scenarios.conversation import Conversation
from tests.mutants.sessions import line

WarnsNobody = line(
    "WarnsNobody",
    "Goes on to offer the deprecated function without the warning (seed 002).",
    "contexts.Contexts.create_user_execution_context",
    old="warnings.warn(",
    new="None and warnings.warn(",
    scenario=Conversation,
    continuity_create=1,
)
MutableInside = line(
    "MutableInside",
    "Makes a read-only mapping of lists that anybody can append to.",
    "context.UserExecutionContext.__post_init__",
    old='additional = frozen_mapping("additional_context", self.additional_context)',
    new="from copy import deepcopy\n"
    "from types import MappingProxyType\n"
    "additional = MappingProxyType(deepcopy(dict(self.additional_context)))",
    scenario=Conversation,
    isolation_tamper=2,
    continuity_child=2,
)
ChildClosesParent = line(
    "ChildClosesParent",
    "Hands the parent's socket over to the child, so that the parent has none any more.",
    "context.UserExecutionContext.child",
    old="return replace(self, request_id=request_id, operation_depth=depth)",
    new="child = replace(self, request_id=request_id, operation_depth=depth)\n"
    "object.__setattr__(self, 'websocket_client_id', None)\n"
    "return child",
    scenario=Conversation,
    continuity_child=3,
    isolation_tamper=3,
)

MUTANTS = tuple(each for each in list(vars().values()) if isinstance(each, Mutant))
