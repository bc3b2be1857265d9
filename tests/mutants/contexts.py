"""Contexts, and ways to them, with one bug each."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping
from types import MappingProxyType
from typing import cast

from threadline.campaign.mutant import Mutant

from scenarios.conversation import Conversation
from sessions.context import UserExecutionContext
from sessions.contexts import Contexts
from sessions.ids import UnifiedIdGenerator
from tests.mutants.sessions import mutant


@mutant("make_contexts", Conversation, continuity_create=1)
class WarnsNobody(Contexts):
    """Goes on to offer the deprecated function without the warning (seed 002)."""

    def create_user_execution_context(
        self,
        user_id: str,
        thread_id: str | None = None,
        run_id: str | None = None,
        db_session: object | None = None,
        websocket_connection_id: str | None = None,
        *,
        stacklevel: int = 2,
    ) -> UserExecutionContext:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return super().create_user_execution_context(
                user_id, thread_id, run_id, db_session, websocket_connection_id
            )


@mutant("make_context", Conversation, isolation_tamper=2)
class MutableInside(UserExecutionContext):
    """Makes a read-only mapping of lists that anybody can append to."""

    @staticmethod
    def _made_immutable(additional: Mapping[str, object]) -> Mapping[str, object]:
        return MappingProxyType(copy.deepcopy(dict(additional)))


@mutant("make_context", Conversation, continuity_child=3, isolation_tamper=3)
class ChildClosesParent(UserExecutionContext):
    """Hands the parent's socket over to the child, so that the parent has none any more."""

    def child(self, name: str, ids: UnifiedIdGenerator | None = None) -> UserExecutionContext:
        child = super().child(name, ids)
        object.__setattr__(self, "websocket_client_id", None)
        return child


MUTANTS = cast("tuple[Mutant, ...]", (WarnsNobody, MutableInside, ChildClosesParent))
