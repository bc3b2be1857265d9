"""What is stored: the turns of conversations, and how each goes on (the contract, Persistence)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from models.chat_service.settings import Settings
from models.session_manager.clock import Clock
from models.session_manager.ids import Id, Key

USER, AGENT = "user", "agent"


class StorageFailed(Exception):
    """A commit raised: nothing of its transaction is stored."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a conversation."""

    position: int
    role: str
    text: str
    message: Id | None
    run: Id
    at_s: float

    def view(self) -> dict[str, object]:
        return {
            "position": self.position,
            "role": self.role,
            "text": self.text,
            "message_id": self.message,
            "run_id": self.run,
            "at_s": self.at_s,
        }


@dataclass(frozen=True, slots=True)
class Question:
    """What the agent was asked by a conversation's last turn, and has not answered yet.

    step: that of the operation which asked it.
    """

    kind: str
    fields: Mapping[str, object]
    agent: str
    message: Id | None
    step: int

    @property
    def text(self) -> str:
        return str(self.fields.get("text") or self.fields.get("user_request"))


@dataclass(slots=True)
class Conversation:
    """A thread's row and its turns; is_ended: invalidated, which the turns outlive.

    used: the place of its last message among all gets and messages. question: that message, while
    it is to be answered.
    """

    key: Key
    run: Id
    used: int
    is_ended: bool = False
    turns: list[Turn] = field(default_factory=list)
    question: Question | None = None

    @property
    def active_s(self) -> float:
        return self.turns[-1].at_s


class Turns:
    """All conversations. One that was due when a session began is gone for that session."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.stored: dict[Key, Conversation] = {}
        self.fails = False
        self._settings = settings
        self._clock = clock

    def of(self, key: Key, began_s: float) -> list[Turn]:
        """Return the turns that a session of a thread has, which began then."""
        found = self.stored.get(key)
        return found.turns if found and self.due_s(found) > began_s else []

    def of_message(self, key: Key, began_s: float, message: Id) -> list[Turn]:
        """Return the turn that a message became, and its answer, as far as they are there."""
        return [turn for turn in self.of(key, began_s) if turn.message == message]

    def add_user_turn(
        self, key: Key, began_s: float, run: Id, used: int, question: Question
    ) -> int:
        """Store what a user said, in a new conversation if the old one was due."""
        self._check()
        kept = self.of(key, began_s)
        self.stored[key] = Conversation(key, run, used, turns=kept, question=question)
        return self._add(key, USER, run, question.text, question.message)

    def add_agent_turn(self, key: Key, run: Id, text: str, message: Id | None) -> int | None:
        """Store an agent's answer; None if the run is not going on any more."""
        found = self.stored.get(key)
        if found is None or found.run != run or found.is_ended:
            return None
        self._check()
        found.question = None
        return self._add(key, AGENT, run, text, message)

    def give_up(self, key: Key, used: int) -> None:
        """Note that a message is not to be answered."""
        self._check()
        found = self.stored.get(key)
        if found and found.used == used:
            found.question = None

    def end_sessions(self, user: str, used: int) -> None:
        """Note that a user's sessions were invalidated, after so many gets and messages."""
        self._check()
        for found in self.stored.values():
            found.is_ended |= found.key[0] == user and found.used <= used

    def delete(self, key: Key) -> None:
        self._check()
        self.stored.pop(key, None)

    def due_s(self, conversation: Conversation) -> float:
        """Return when a conversation is due, unless a session that began before keeps it."""
        return conversation.active_s + self._settings.retention_s

    def due(self) -> list[Conversation]:
        """Return those that are due, whether or not a session keeps them."""
        now_s = self._clock.now_s
        return [found for found in self.stored.values() if self.due_s(found) <= now_s]

    def in_order(self) -> list[Conversation]:
        """Return all, that of the latest message last."""
        return sorted(self.stored.values(), key=lambda found: found.used)

    def _add(self, key: Key, role: str, run: Id, text: str, message: Id | None) -> int:
        turns = self.stored[key].turns
        position = turns[-1].position + 1 if turns else 1
        now_s = self._clock.now_s
        turns.append(Turn(position, role, text, message, run, now_s))
        return position

    def _check(self) -> None:
        if self.fails:
            raise StorageFailed
