"""The tables of stored conversations, and what their rows hold: threads, and their turns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData()
# SQLite counts by itself in a column of its own integer type only, which has 64 bits there.
NUMBER = BigInteger().with_variant(Integer, "sqlite")

# User and thread are two columns everywhere, never joined, as ids may contain any separator.
# Times are clock seconds. ended: the session was invalidated, which the conversation outlives.
# used: the number of the last message that became a turn, which tells a user's latest thread
# without a clock, however long its agent takes. asked: what that message was beside its text, until
# it is answered or given up: what is asked is taken up again after a start.
THREADS = Table(
    "threads",
    METADATA,
    Column("user_id", Text, primary_key=True),
    Column("thread_id", Text, primary_key=True),
    Column("run_id", Text, nullable=False),
    Column("active_at_s", Double, nullable=False, index=True),
    Column("ended", Boolean, nullable=False),
    Column("used", BigInteger, nullable=False),
    Column("asked", Text),
)

TURNS = Table(
    "turns",
    METADATA,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("user_id", Text, nullable=False),
    Column("thread_id", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("role", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("message_id", Text),
    Column("run_id", Text, nullable=False),
    Column("at_s", Double, nullable=False),
    UniqueConstraint("user_id", "thread_id", "position"),
    Index("ix_turns_message", "user_id", "thread_id", "message_id"),
)


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
