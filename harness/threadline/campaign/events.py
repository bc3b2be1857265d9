"""Run events: what a campaign tells while it runs, to whoever listens."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Began:
    """A scenario begins; `sequences` is about how many there are to play (exhaust only)."""

    scenario: str
    sequences: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """So far in this scenario; `last_run` is where a new worker would go on."""

    runs: int
    steps: int
    last_run: int


@dataclass(frozen=True, slots=True)
class Found:
    """A failure, new in this campaign, saved before anything else is done with it.

    `trace` is the file it was saved to ("" where nothing could be written), `lines` its content,
    `text` the failure as a reader sees it, `runs` how many it took.
    """

    signature: str
    text: str
    trace: str
    lines: str
    runs: int
    steps: int


@dataclass(frozen=True, slots=True)
class Shorter:
    """The same failure, minimised in so many replays; 0 where it did not fail again."""

    signature: str
    text: str
    lines: str
    replays: int
    steps: int


@dataclass(frozen=True, slots=True)
class Ended:
    """A scenario has ended; `failures` counts the runs that each signature ended.

    `complete` says that an exhaustive search has played all there is.
    """

    runs: int
    steps: int
    failures: dict[str, int]
    complete: bool = False


Event: TypeAlias = Began | Progress | Found | Shorter | Ended
Listener: TypeAlias = Callable[[Event], None]

KINDS: dict[str, type[Event]] = {
    kind.__name__: kind for kind in (Began, Progress, Found, Shorter, Ended)
}


def encode(event: Event) -> bytes:
    """Return the event as one line of JSON."""
    return json.dumps([type(event).__name__, asdict(event)]).encode("ascii") + b"\n"


def decode(line: bytes) -> Event:
    """Return the event that `encode` made this line of."""
    kind, values = json.loads(line)
    return KINDS[kind](**values)
