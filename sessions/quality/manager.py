"""Know which threads hear of quality, and tell them."""

from __future__ import annotations

import copy
from collections.abc import Mapping

from sessions.context import UserExecutionContext
from sessions.event import Json
from sessions.key import IsolationKey
from sessions.quality.seams import Managers, Sender


class QualityManager:
    """One subscription for each thread, under the context of the message that asked for it.

    A subscription ends with its thread's manager: whoever ends that calls ended(). Synchronous,
    for the event loop of the system.
    """

    def __init__(self, managers: Managers, sender: Sender) -> None:
        self._managers = managers
        self._sender = sender
        self._subscriptions: dict[IsolationKey, UserExecutionContext] = {}

    def subscribe(self, context: UserExecutionContext) -> bool:
        """Let a context's thread hear, in place of an older subscription of it.

        Returns False, and leaves the thread without a subscription, if it has no live manager.
        """
        self.unsubscribe(context)
        key = self._key(context)
        has_manager = self._managers.find(key) is not None
        if has_manager:
            self._subscriptions[key] = context
        return has_manager

    def unsubscribe(self, context: UserExecutionContext) -> bool:
        """Let a context's thread hear no more; returns False, as it is not subscribed now."""
        self._subscriptions.pop(self._key(context), None)
        return False

    def ended(self, key: IsolationKey) -> None:
        """Note that a thread's manager has ended."""
        self._subscriptions.pop(key, None)

    def subscriptions(self) -> dict[IsolationKey, UserExecutionContext]:
        """Return the subscriptions of live managers, as a copy."""
        return {
            key: context
            for key, context in self._subscriptions.items()
            if self._managers.find(key) is not None
        }

    def broadcast(self, kind: str, payload: Mapping[str, Json]) -> None:
        """Send each subscribed thread an event of its own, on its own subscription's context."""
        for key in self.subscriptions():
            context = self._context(key)
            self._sender.publish(context, kind, self._payload(payload, context), None, None)

    def _key(self, context: UserExecutionContext) -> IsolationKey:
        return IsolationKey(context.user_id, context.thread_id)

    def _context(self, key: IsolationKey) -> UserExecutionContext:
        return self._subscriptions[key]

    def _payload(
        self,
        payload: Mapping[str, Json],
        context: UserExecutionContext,  # noqa: ARG002  # what is sent must not depend on for whom
    ) -> Mapping[str, Json]:
        return copy.deepcopy(dict(payload))
