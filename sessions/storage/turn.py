"""What was said in a conversation, and which conversations there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Role: TypeAlias = Literal["user", "agent"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One stored turn; position counts the turns of its thread from 1, at_s is clock seconds."""

    position: int
    role: Role
    text: str
    message_id: str | None
    run_id: str
    at_s: float


@dataclass(frozen=True, slots=True)
class Begun:
    """What the first try of a request has done, and no retry does again: its turn is stored.

    history: the last turns before it, oldest first. handled: the turn that the message became
    before, and its answer, as far as they are there; nothing was stored then.
    """

    position: int
    history: tuple[Turn, ...]
    handled: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredThread:
    """A thread whose session goes on after a start, idle since active_at_s, its last turn."""

    user_id: str
    thread_id: str
    run_id: str
    active_at_s: float


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question that was stored, and neither answered nor given up: a thread's last turn.

    used: its number in the order of all gets and messages. asked: what it was beside its text.
    """

    user_id: str
    thread_id: str
    run_id: str
    used: int
    asked: str
    position: int
    text: str
    message_id: str | None
