"""A model of the session manager to talk to, with the number of each step counted for it."""

from __future__ import annotations

from itertools import count
from typing import Any

from threadline.handle import Handle
from threadline.outcome import Ok, Outcome

from models.session_manager import SessionManagerModel
from models.session_manager.contract import SessionManager
from models.session_manager.peers import WELL


class Talk:
    """Steps a model, and reads what came back."""

    def __init__(self, **settings: object) -> None:
        self.model = SessionManagerModel(**settings)
        self._numbers = count(1)

    def next(self) -> SessionManager:
        """Return the model, ready for its next step."""
        return self.model.at(next(self._numbers))

    def connect(self, user: str = "ana", thread: Any = "t", peer: str = WELL) -> Handle:
        """Connect a peer, and return its connection."""
        socket: Handle = shown(self.next().connect(user, thread, None, peer))["socket"]
        return socket

    def deliver(self, text: str, thread: str = "t") -> Outcome:
        """Deliver an event of ana's."""
        return self.next().deliver("ana", thread, text)

    def held(self, name: str) -> Any:
        """Return one part of the census."""
        return self.model.census()[name]

    def count(self, name: str) -> int:
        """Return one of the metrics."""
        found: int = shown(self.next().metrics())[name]
        return found


def shown(outcome: Outcome) -> Any:
    """Return the value of an outcome, without what arrived beside it."""
    assert isinstance(outcome, Ok), outcome
    value: Any = outcome.value
    return value["value"] if isinstance(value, dict) and "sent" in value else value


def arrived(outcome: Outcome, connection: Handle) -> list[Any]:
    """Return the texts, or else the types, of what arrived at a connection."""
    assert isinstance(outcome, Ok), outcome
    value: Any = outcome.value
    sent = value.get("sent", {}) if isinstance(value, dict) else {}
    return [event.get("text", event["type"]) for event in sent.get(connection, [])]
