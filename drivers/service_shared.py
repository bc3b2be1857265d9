"""Objects that contexts of different users have in common, though each user has their own."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from types import ModuleType

from sessions.context import UserExecutionContext

OBJECTS_MAX = 200  # of one context, which has some ten; our choice
IMMUTABLE = (str, int, float, bytes, bool, type(None), type, ModuleType)


class Reached:
    """The mutable objects that were reached from the contexts of each user."""

    def __init__(self) -> None:
        # Contexts by identity, kept, or else a later object could take over an id.
        self._seen: dict[int, UserExecutionContext] = {}
        self._users: dict[int, set[str]] = {}

    def see(self, context: UserExecutionContext) -> None:
        """Walk over a context that was not seen before."""
        if id(context) in self._seen:
            return
        self._seen[id(context)] = context
        for found in _mutable(context):
            self._users.setdefault(id(found), set()).add(context.user_id)

    def clear(self) -> None:
        self._seen.clear()
        self._users.clear()

    def shared(self) -> int:
        """Return how many of them belong to more than one user."""
        return sum(len(users) > 1 for users in self._users.values())


def _mutable(context: UserExecutionContext) -> Iterator[object]:
    """Yield what can be changed of what a context leads to, itself as the first."""
    waiting: list[object] = [context]
    met: set[int] = set()
    while waiting and len(met) < OBJECTS_MAX:
        found = waiting.pop()
        if id(found) in met or isinstance(found, IMMUTABLE):
            continue
        met.add(id(found))
        if not isinstance(found, tuple | frozenset):
            yield found
        waiting += gc.get_referents(found)
