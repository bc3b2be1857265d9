"""Looks, from another thread, whether a call of the system holds the loop, and notes in which line.

What a loop does is in virtual time; that of a call that blocks, as on a lock or in time.sleep, is
real, and differs from machine to machine: it is noted, and fails nothing.
"""

from __future__ import annotations

import sys
import time
from asyncio import BaseEventLoop
from collections.abc import Callable, Mapping
from threading import Event, Thread, get_ident
from types import FrameType, TracebackType
from typing import Any, Self

from ..history import count
from ..schedule import Answered
from .lent import installed

HELD_S = 0.1  # of real time, for which a turn of the loop can go unnoticed; our choice
LOOK_EVERY_S = 0.05  # our choice
PLACES_MAX = 3  # that are named; our choice
TURN: Any = BaseEventLoop._run_once  # type: ignore[attr-defined]  # what asyncio runs in a turn


class LoopWatch:
    """Notes where turns of a loop last long, while it is entered; `turn` tells which goes on now.

    The loop is that of the thread which has made this. What would run in an executor, and does not
    hold the loop of a real system, is left out.
    """

    def __init__(self, turn: Callable[[], int], now: Callable[[], float] = time.monotonic) -> None:
        self.places: dict[str, int] = {}  # how often each has held the loop
        self._turn = turn
        self._now = now
        self._thread_id = get_ident()
        self._last = 0
        self._since_s = 0.0
        self._stopped = Event()
        self._thread = Thread(target=self._watch, name="loop watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._stopped.set()
        self._thread.join()

    def look(self) -> None:
        """Note the line in which the turn is that goes on for too long; once for each turn."""
        turn = self._turn()
        if turn != self._last:
            self._last, self._since_s = turn, self._now()
        elif turn and self._now() - self._since_s > HELD_S:
            place = _place(sys._current_frames().get(self._thread_id))
            if place and self._turn() == turn:
                self.places[place] = self.places.get(place, 0) + 1
                self._since_s = float("inf")

    def _watch(self) -> None:
        while not self._stopped.wait(LOOK_EVERY_S):
            self.look()


def of_held(places: Mapping[str, int]) -> str:
    """Return what a campaign says of where the loop was held, and how often."""
    most = sorted(places, key=lambda place: (-places[place], place))[:PLACES_MAX]
    return (
        f"{count(sum(places.values()), 'turn')} of the loop took over {HELD_S * 1_000:.0f} ms of "
        f"real time, in {', '.join(most)}: what blocks holds up all others"
    )


def _place(frame: FrameType | None) -> str:
    """Return the innermost line of the system's within a turn; nothing where none holds it."""
    found = ""
    while frame is not None:
        code = frame.f_code
        if code is TURN.__code__:
            return found
        if code is Answered.act.__code__:
            return ""
        if not found and not code.co_filename.startswith(("<frozen", *installed())):
            found = f"{code.co_qualname} line {frame.f_lineno}"
        frame = frame.f_back
    return ""
