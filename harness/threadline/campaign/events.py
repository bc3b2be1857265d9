"""Run events: what a campaign tells while it runs, to whoever listens."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
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
    `text` the failure as a reader sees it, `runs` how many it took. One that is told `instead` of
    another has its signature, and fails each time, as that one did not.
    """

    signature: str
    text: str
    trace: str
    lines: str
    runs: int
    steps: int
    instead: bool = False


@dataclass(frozen=True, slots=True)
class Shorter:
    """The same failure, minimised in so many replays; 0 where it was not made shorter.

    `doubt` says in a few words why the failure does not stand for its signature, as in "by
    chance"; "" for one that has failed each time it was played again.
    """

    signature: str
    text: str
    lines: str
    replays: int
    steps: int
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """A scenario has ended; `failures` counts the runs that each signature ended.

    `complete` says that an exhaustive search has played all there is. `unused` has a line for each
    rule that never fired, which says why not.
    """

    runs: int
    steps: int
    failures: dict[str, int]
    complete: bool = False
    unused: list[str] = field(default_factory=list)


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
