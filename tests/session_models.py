"""A model of the session manager to talk to, with the number of each step counted for it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from threadline import Handle, Model, Ok, Outcome
from threadline.lockstep.outcomes import expected_of

from models.session_manager import SessionManagerModel
from models.session_manager.peers import WELL


class NextStep:
    """One step of a model: each of its operations, called, returns the outcome."""

    def __init__(self, model: Model, number: int) -> None:
        self._model = model
        self._number = number

    def __getattr__(self, kind: str) -> Callable[..., Outcome]:
        make = self._model.kinds()[kind]
        return lambda *arguments: expected_of(self._model.at(self._number), make(*arguments))


class Talk:
    """Steps a model, and reads what came back."""

    def __init__(self, **settings: object) -> None:
        self.model = SessionManagerModel(**settings)
        self._numbers = count(1)

    def next(self) -> Any:
        """Return what takes the model's next step: its operations by name."""
        return NextStep(self.model, next(self._numbers))

    def connect(self, user: str = "ana", thread: Any = "t", peer: str = WELL) -> Handle:
        """Connect a peer, and return its connection."""
        socket: Handle = shown(self.next().connect(user, thread, None, peer))["socket"]
        return socket

    def deliver(self, text: str, thread: str = "t") -> Outcome:
        """Deliver an event of ana's."""
        outcome: Outcome = self.next().deliver("ana", thread, text)
        return outcome

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
    return outcome.value


def arrived(outcome: Outcome, connection: Handle) -> list[Any]:
    """Return the texts, or else the types, of what arrived at a connection."""
    assert isinstance(outcome, Ok), outcome
    events: list[Any] = (outcome.told or {}).get(connection, [])
    return [event.get("text", event["type"]) for event in events]
