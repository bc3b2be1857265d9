"""A model and a real system that take the same steps: the system must do what the model says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, ClassVar, TypeAlias, TypeVar

from threadline import Handle, Model, Ok, Outcome
from threadline.contracts.conversation_store import ConversationStore
from threadline.loading import Target
from threadline.lockstep.lockstep import Lockstep

from models.chat_service import ChatServiceModel
from models.database_pool import DatabasePool
from models.database_sessions import DatabaseSessions
from models.database_start import DatabaseStart
from models.message_queue import MessageQueue
from models.parts import Parts
from models.session_manager import SessionManagerModel
from models.session_manager.socket_faults import WELL
from models.stored_turns import StoredTurns

T = TypeVar("T", bound="Talk")

Begin: TypeAlias = Callable[..., T]
"""Begins a talk under the settings given by name."""


class Talk:
    """Takes steps, and reads what came back, once model and system agree on all of it."""

    contract: ClassVar[type[Model]]

    def __init__(self, target: Target, settings: Mapping[str, object]) -> None:
        self.model: Any = target.new_model(settings)
        self.driver = target.new_driver(settings)
        self.do: Any = Steps(self.model, Lockstep(self.model, self.driver, settings=settings))

    def held(self, name: str) -> Any:
        """Return one part of the census."""
        return self.model.census()[name]


class Steps:
    """The operations by their names: each, called, is one step, and returns the outcome."""

    def __init__(self, model: Model, lockstep: Lockstep) -> None:
        self._model = model
        self._lockstep = lockstep
        self._numbers = count(1)

    def __getattr__(self, kind: str) -> Callable[..., Outcome]:
        make = self._model.kinds()[kind]

        def take(*arguments: object) -> Outcome:
            return self._lockstep.step(next(self._numbers), make(*arguments)).expected

        return take


class StoreTalk(Talk):
    """A conversation store's; users are ana, threads are t, unless said."""

    contract = ConversationStore

    def open(self, user: str = "ana", thread: str = "t", *texts: str) -> Handle:
        """Open a conversation, and append these texts to it."""
        handle: Handle = value(self.do.open(user, thread))
        for text in texts:
            self.do.append(handle, text)
        return handle


class PoolTalk(Talk):
    """A pool of database places'."""

    contract = DatabasePool


class DatabaseTalk(Talk):
    """One with database sessions on one file."""

    contract = DatabaseSessions


class TurnsTalk(Talk):
    """A store of turns'."""

    contract = StoredTurns


class QueueTalk(Talk):
    """A queue of messages', of users who ask on threads."""

    contract = MessageQueue


class PartsTalk(Talk):
    """Of parts of a chat service that need no system around them."""

    contract = Parts


class StartTalk(Talk):
    """Of the start of a database, which one process of several has."""

    contract = DatabaseStart


class SessionsTalk(Talk):
    """What a session manager and a chat service have in common."""

    def connect(self, user: str = "ana", thread: Any = "t", peer: str = WELL) -> Handle:
        """Connect a peer, and return its connection."""
        socket: Handle = value(self.do.connect(user, thread, None, peer))["socket"]
        return socket

    def count(self, name: str) -> int:
        """Return one of the metrics."""
        found: int = value(self.do.metrics())[name]
        return found


class ManagerTalk(SessionsTalk):
    """A session manager's."""

    contract = SessionManagerModel

    def deliver(self, text: str, thread: str = "t") -> Outcome:
        """Deliver an event of ana's."""
        outcome: Outcome = self.do.deliver("ana", thread, text)
        return outcome


class ServiceTalk(SessionsTalk):
    """A chat service's; users are ana, threads are t, unless said."""

    contract = ChatServiceModel

    def say(
        self,
        connection: Handle,
        text: str = "hello there",
        agent: str = "well",
        *,
        thread: Any = None,
        message: str | None = None,
    ) -> Outcome:
        """Send a user's message."""
        outcome: Outcome = self.do.say(connection, thread, None, message, text, agent)
        return outcome

    def say_often(self, connection: Handle, times: int) -> None:
        """Send "text 0", "text 1" and so on, one message each."""
        for number in range(times):
            self.say(connection, f"text {number}")

    def post(self, text: str = "hello there", agent: str = "well", user: str = "ana") -> Outcome:
        """Post a user's message to t."""
        outcome: Outcome = self.do.post(user, "t", None, None, text, agent)
        return outcome

    def wait(self, seconds: int) -> Outcome:
        outcome: Outcome = self.do.wait(seconds)
        return outcome

    def texts(self, thread: str = "t") -> list[tuple[str, str]]:
        """Return who said what in a thread of ana's, as it is stored."""
        turns = value(self.do.thread_messages("ana", thread, None))["turns"]
        return [(turn["role"], turn["text"]) for turn in turns]

    def open_database(self, connection_of: str = "t", how: str = "awaited") -> Handle:
        """Open a database session on a context of ana's, and return it."""
        context = value(self.do.get("ana", connection_of, None))["context"]
        session: Handle = value(self.do.open_database_session(context, how))["session"]
        return session


def value(outcome: Outcome) -> Any:
    """Return the value of an outcome, without what arrived beside it."""
    assert isinstance(outcome, Ok), outcome
    return outcome.value


def texts_told(outcome: Outcome, connection: Handle) -> list[Any]:
    """Return the texts, or else the types, of what arrived at a session manager's connection."""
    assert isinstance(outcome, Ok), outcome
    told: list[Any] = (outcome.told or {}).get(connection, [])
    return [event.get("text", event["type"]) for event in told]


def events(outcome: Outcome, receiver: Handle, thread: Any = "t") -> list[Any]:
    """Return what arrived at a connection or an exchange of a service, of one thread."""
    assert isinstance(outcome, Ok), outcome
    arrived: list[Any] = (outcome.told or {}).get((receiver, thread), [])
    return arrived


def types(outcome: Outcome, receiver: Handle, thread: Any = "t") -> list[str]:
    """Return the types of these events, of an error its code."""
    return [event.get("code", event["type"]) for event in events(outcome, receiver, thread)]
