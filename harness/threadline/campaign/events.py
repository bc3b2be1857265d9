"""Run events: what a campaign reports while it runs, to whoever listens."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias


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
    another has its signature, and fails each time, as that one did not. `play` is the failure as
    data, for a diagram.
    """

    signature: str
    text: str
    trace: str
    lines: str
    runs: int
    steps: int
    instead: bool = False
    play: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shorter:
    """The same failure, minimised in so many replays; 0 where it was not made shorter.

    `trace` is the file that has these lines, "" where it could not be written. `doubt` says in a
    few words why the failure does not stand for its signature, as in "by chance"; "" for one that
    has failed each time it was played again.
    """

    signature: str
    text: str
    lines: str
    replays: int
    steps: int
    trace: str = ""
    doubt: str = ""
    play: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Replayed:
    """A stored trace was played: `came` is its signature now, "" where it agrees.

    `is_known` says that it is one of a known failure, and not of the corpus. `trouble` says why it
    could not be played.
    """

    signature: str
    trace: str
    came: str
    is_known: bool = True
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """A scenario has ended; `failures` counts the runs that each signature ended.

    `complete` says that an exhaustive search has played all there is, `note` why it ended early.
    `unused` has a line for each rule that never fired, which says why not. `known` counts the runs
    in which a known failure came, apart from the others. One that `is_unreached` has not taken a
    step, as the time was over before it could. `unmet` are the goals that no run has met.
    `undecided` counts the runs that could not be judged to their end, `held` how often each line
    held the loop.
    """

    runs: int
    steps: int
    failures: dict[str, int]
    complete: bool = False
    note: str = ""
    unused: list[str] = field(default_factory=list)
    known: dict[str, int] = field(default_factory=dict)
    unmet: list[str] = field(default_factory=list)
    is_unreached: bool = False
    undecided: int = 0
    held: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reached:
    """What a worker has reached since it told so last: counts to be added, and new states.

    operations: of each kind of operation, how often each outcome came. states, transitions: those
    that are new, packed as `behaviour.packed` does. lines: of each file of the project, the lines
    that ran. trace: the run that has reached these states and lines first, "" where these are the
    sums of all runs.
    """

    operations: dict[str, dict[str, int]] = field(default_factory=dict)
    states: str = ""
    transitions: str = ""
    lines: dict[str, list[int]] = field(default_factory=dict)
    trace: str = ""


@dataclass(frozen=True, slots=True)
class Memory:
    """How much memory a worker and its children hold, in MiB, as its campaign has measured it."""

    mib: float


Event: TypeAlias = Began | Replayed | Progress | Found | Shorter | Reached | Memory | Ended
Listener: TypeAlias = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Ready:
    """The driver is loaded and started: from here on, the limit of a step counts."""


@dataclass(frozen=True, slots=True)
class Free:
    """The job is done and the system given back: the worker waits for another."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What belongs into the trace of the run that goes on, where its file cannot be written.

    The first line of a run is a header; "" is a sign of life.
    """

    line: str


@dataclass(frozen=True, slots=True)
class Raised:
    """The system has raised outside of a step, so that the worker cannot go on; what and where."""

    error: str
    where: str


@dataclass(frozen=True, slots=True)
class Broke:
    """A model, a scenario, a driver or the harness is wrong itself; in words, with a traceback."""

    text: str


Message: TypeAlias = Event | Ready | Free | Recorded | Raised | Broke
"""What a worker tells its campaign, which tells on only what is an event."""

KINDS: dict[str, type[Message]] = {
    kind.__name__: kind
    for kind in (
        *(Began, Replayed, Progress, Found, Shorter, Reached, Memory, Ended),
        *(Ready, Free, Recorded, Raised, Broke),
    )
}


def encode(message: Message) -> bytes:
    """Return the message as one line of JSON."""
    return json.dumps([type(message).__name__, asdict(message)]).encode("ascii") + b"\n"


def decode(line: bytes) -> Message:
    """Return the message that `encode` made this line of; raises ValueError for any other line."""
    try:
        kind, values = json.loads(line)
        return KINDS[kind](**values)
    except (TypeError, KeyError, RecursionError) as error:
        raise ValueError(f"no message: {line[:80]!r}") from error
