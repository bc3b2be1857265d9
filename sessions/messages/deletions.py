"""Keep what is said on a thread apart from the removal of what was said there before."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from sessions.ids import IsolationKey


class Deletions:
    """The threads whose turns are being removed.

    A thread can have a new session meanwhile. Its messages are handled when the removal is over,
    or they would go on with the old conversation, and be removed with it.
    """

    def __init__(self) -> None:
        self._under_way: dict[IsolationKey, list[asyncio.Event]] = {}

    @contextmanager
    def of(self, key: IsolationKey) -> Iterator[None]:
        """Hold back the thread's messages while a block runs."""
        over = asyncio.Event()
        self._under_way.setdefault(key, []).append(over)
        try:
            yield
        finally:
            over.set()
            self._under_way[key].remove(over)
            if not self._under_way[key]:
                del self._under_way[key]

    async def until_over(self, key: IsolationKey) -> None:
        """Return once no turns of a thread are being removed."""
        while found := self._under_way.get(key):
            await found[0].wait()
