"""A model of the chat service to talk to, with the number of each step counted for it."""

from __future__ import annotations

from itertools import count
from typing import Any

from threadline import Handle, Ok, Outcome

from models.chat_service import ChatServiceModel
from models.session_manager.peers import WELL
from tests.session_models import NextStep


class ServiceTalk:
    """Steps a model, and reads what came back; users are ana, threads are t, unless said."""

    def __init__(self, **settings: object) -> None:
        self.model = ChatServiceModel(**settings)
        self._numbers = count(1)

    def next(self) -> Any:
        """Return what takes the model's next step: its operations by name."""
        return NextStep(self.model, next(self._numbers))

    def connect(self, user: str = "ana", thread: Any = "t", peer: str = WELL) -> Handle:
        """Connect a peer, and return its connection."""
        socket: Handle = value(self.next().connect(user, thread, None, peer))["socket"]
        return socket

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
        outcome: Outcome = self.next().say(connection, thread, None, message, text, agent)
        return outcome

    def say_often(self, connection: Handle, times: int) -> None:
        """Say "text 0", "text 1" and so on."""
        for number in range(times):
            self.say(connection, f"text {number}")

    def post(self, text: str = "hello there", agent: str = "well", user: str = "ana") -> Outcome:
        """Post a user's message to t."""
        outcome: Outcome = self.next().post(user, "t", None, None, text, agent)
        return outcome

    def wait(self, seconds: int) -> Outcome:
        outcome: Outcome = self.next().wait(seconds)
        return outcome

    def held(self, name: str) -> Any:
        """Return one part of the census."""
        return self.model.census()[name]

    def count(self, name: str) -> int:
        """Return one of the metrics."""
        found: int = value(self.next().metrics())[name]
        return found

    def texts(self, thread: str = "t") -> list[tuple[str, str]]:
        """Return who said what in a thread of ana's, as it is stored."""
        turns = value(self.next().thread_messages("ana", thread, None))["turns"]
        return [(turn["role"], turn["text"]) for turn in turns]

    def open_database(self, connection_of: str = "t", how: str = "awaited") -> Handle:
        """Open a database session on a context of ana's, and return it."""
        context = value(self.next().get("ana", connection_of, None))["context"]
        session: Handle = value(self.next().open_database_session(context, how))["session"]
        return session


def value(outcome: Outcome) -> Any:
    """Return the value of an outcome, without what arrived beside it."""
    assert isinstance(outcome, Ok), outcome
    return outcome.value


def events(outcome: Outcome, receiver: Handle, thread: Any = "t") -> list[Any]:
    """Return what arrived at a connection or an exchange, of one thread."""
    assert isinstance(outcome, Ok), outcome
    arrived: list[Any] = (outcome.told or {}).get((receiver, thread), [])
    return arrived


def types(outcome: Outcome, receiver: Handle, thread: Any = "t") -> list[str]:
    """Return the types of these events, of an error its code."""
    return [event.get("code", event["type"]) for event in events(outcome, receiver, thread)]
