"""A bug shape: a protocol of six states with preconditions, in which ten operations are needed."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from hypothesis import stateful
from threadline import Driver, Model, Refuse, Refused, Scenario, operation, rule

# Four operations lead to a subscription; the bug takes two pauses and two publications more.
STEPS_LEAST = 10
# What each operation leads from and to; where it is not possible, nothing happens.
MOVES = {
    "connect": {"idle": "connected"},
    "authenticate": {"connected": "known"},
    "join": {"known": "joined"},
    "subscribe": {"joined": "subscribed"},
    "publish": {"subscribed": "subscribed"},
    "suspend": {"subscribed": "suspended"},
    "resume": {"suspended": "subscribed"},
    "leave": dict.fromkeys(("joined", "subscribed", "suspended"), "known"),
    "disconnect": dict.fromkeys(
        ("connected", "known", "joined", "subscribed", "suspended"), "idle"
    ),
}


class Channel:
    """Counts what was published since subscribing, and loses count after it resumed twice."""

    def __init__(self) -> None:
        self.operations = 0
        self.is_wrong = False
        self._state = "idle"
        self._published = 0
        self._resumed = 0

    def do(self, name: str) -> int | None:
        """Return how many were published since subscribing, or None where this is not possible."""
        self.operations += 1
        state = MOVES[name].get(self._state)
        if state is None:
            return None
        self._state = state
        if name == "subscribe":
            self._published = self._resumed = 0
        self._resumed += name == "resume"
        self._published += name == "publish"
        self.is_wrong = name == "publish" and self._resumed > 1 and self._published > 1
        return 0 if self.is_wrong else self._published


class ByHand(stateful.RuleBasedStateMachine):
    """The test as a user of Hypothesis writes it, with nothing of ours."""

    def __init__(self) -> None:
        super().__init__()
        self.system = Channel()
        self.state = "idle"
        self.published = 0

    def do(self, name: str) -> None:
        self.state = MOVES[name][self.state]
        if name == "subscribe":
            self.published = 0
        if name == "publish":
            self.published += 1
        assert self.system.do(name) == self.published

    @stateful.precondition(lambda self: self.state == "idle")
    @stateful.rule()
    def connect(self) -> None:
        self.do("connect")

    @stateful.precondition(lambda self: self.state == "connected")
    @stateful.rule()
    def authenticate(self) -> None:
        self.do("authenticate")

    @stateful.precondition(lambda self: self.state == "known")
    @stateful.rule()
    def join(self) -> None:
        self.do("join")

    @stateful.precondition(lambda self: self.state == "joined")
    @stateful.rule()
    def subscribe(self) -> None:
        self.do("subscribe")

    @stateful.precondition(lambda self: self.state == "subscribed")
    @stateful.rule()
    def publish(self) -> None:
        self.do("publish")

    @stateful.precondition(lambda self: self.state == "subscribed")
    @stateful.rule()
    def suspend(self) -> None:
        self.do("suspend")

    @stateful.precondition(lambda self: self.state == "suspended")
    @stateful.rule()
    def resume(self) -> None:
        self.do("resume")

    @stateful.precondition(lambda self: self.state in MOVES["leave"])
    @stateful.rule()
    def leave(self) -> None:
        self.do("leave")

    @stateful.precondition(lambda self: self.state in MOVES["disconnect"])
    @stateful.rule()
    def disconnect(self) -> None:
        self.do("disconnect")


class ChannelModel(Model):
    """The state of the protocol, and how many were published since subscribing."""

    name = "channel"

    def __init__(self) -> None:
        self.state = "idle"
        self._published = 0

    @operation
    def do(self, name: str) -> int:
        """One of the operations of the protocol, by name."""
        if self.state not in MOVES[name]:
            raise Refuse("not now")
        self.state = MOVES[name][self.state]
        if name == "subscribe":
            self._published = 0
        self._published += name == "publish"
        return self._published

    def shape(self) -> Hashable:
        return self.state, min(3, self._published)


class ChannelDriver(Driver[ChannelModel]):
    """Does what it is told to on one channel."""

    def __init__(self) -> None:
        self._system = Channel()

    def do(self, name: str) -> int | Refused:
        published = self._system.do(name)
        return Refused("not now") if published is None else published


def doing(name: str) -> Any:
    """Return the rule of one operation, which may fire where the protocol has a move for it."""
    return rule(ChannelModel.do, name=name, when=lambda now: now.model.state in MOVES[name])


class Talking(Scenario[ChannelModel], bare=True):
    """Nine rules, each possible in some of the six states only."""

    connect, authenticate, join = map(doing, ("connect", "authenticate", "join"))
    subscribe, publish, suspend = map(doing, ("subscribe", "publish", "suspend"))
    resume, leave, disconnect = map(doing, ("resume", "leave", "disconnect"))
