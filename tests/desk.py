"""A desk with tickets, keys and a bell: the toy contract on which the engines are tried."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import ClassVar, Self

from threadline.contract import Census, Contract, Driver
from threadline.failure import Disagreement, Property
from threadline.handle import Handle
from threadline.loading import Target
from threadline.lockstep.run import Runs
from threadline.operation import Operation
from threadline.outcome import Ok, Outcome, Refused
from threadline.scenario import Scenario
from threadline.trace import Header, Recorder

CODE = ["press 3", "press 1", "press 2", "press 1", "press 3"]


@dataclass(frozen=True, slots=True)
class Enter(Operation):
    """A user takes a ticket."""

    user: str

    def apply(self, target: DeskModel | Desk) -> Outcome:
        return target.enter(self.user)


@dataclass(frozen=True, slots=True)
class Leave(Operation):
    """A ticket is given back."""

    ticket: Handle

    def apply(self, target: DeskModel | Desk) -> Outcome:
        return target.leave(self.ticket)  # type: ignore[arg-type]  # the desk is given its own id


@dataclass(frozen=True, slots=True)
class Press(Operation):
    """A key is pressed."""

    key: int

    def apply(self, target: DeskModel | Desk) -> Outcome:
        return target.press(self.key)


@dataclass(frozen=True, slots=True)
class Ring(Operation):
    """The bell is rung."""

    def apply(self, target: DeskModel | Desk) -> Outcome:
        return target.ring()


@dataclass(slots=True)
class DeskModel:
    """Which tickets are out, and how far the code has been keyed in."""

    policy: object = None
    size: int = 0
    step: int = 0
    tickets: list[Handle] = field(default_factory=list)
    keyed: int = 0

    def at(self, step: int) -> Self:
        self.step = step
        return self

    def enter(self, user: str) -> Outcome:
        self.tickets.append(Handle("t", self.step))
        return Ok(self.tickets[-1])

    def leave(self, ticket: Handle) -> Outcome:
        if ticket not in self.tickets:
            return Refused("left", because=f"{ticket} was given back")
        self.tickets.remove(ticket)
        return Ok()

    def press(self, key: int) -> Outcome:
        right = self.keyed < len(CODE) and CODE[self.keyed] == f"press {key}"
        self.keyed = self.keyed + 1 if right else 0
        return Ok()

    def ring(self) -> Outcome:
        return Ok()

    def census(self) -> Census:
        return {"tickets": self.tickets}

    def shape(self) -> Hashable:
        return len(self.tickets), self.keyed


class Desk(Driver):
    """Does what the model does, until what was done to it makes it break.

    `log` has a line for each operation, as in "enter ana" or "leave ticket 1".
    """

    contract: ClassVar[Contract]

    def __init__(self, is_broken: Callable[[list[str]], bool], size: int = 0) -> None:
        self.log: list[str] = []
        self.size = size
        self._is_broken = is_broken
        self._made = 0
        self._tickets: list[str] = []

    def enter(self, user: str) -> Outcome:
        self._made += 1
        self._tickets.append(f"ticket {self._made}")
        return self._note(f"enter {user}", Ok(self._tickets[-1]))

    def leave(self, ticket: str) -> Outcome:
        if ticket not in self._tickets:
            return self._note(f"leave {ticket}", Refused("left"))
        self._tickets.remove(ticket)
        return self._note(f"leave {ticket}", Ok())

    def press(self, key: int) -> Outcome:
        return self._note(f"press {key}", Ok())

    def ring(self) -> Outcome:
        return self._note("ring", Ok())

    def census(self) -> Census:
        return {"tickets": self._tickets}

    def _note(self, line: str, outcome: Outcome) -> Outcome:
        self.log.append(line)
        return Refused("broken") if self._is_broken(self.log) else outcome


def blame(_model: DeskModel, _operation: Operation, _disagreement: Disagreement) -> Property:
    return Property.CONTINUITY


DESK = Contract("desk", (Enter, Leave, Press, Ring), DeskModel, None, blame)
Desk.contract = DESK


def never(_log: list[str]) -> bool:
    return False


class Desks:
    """Makes desks that break alike, and keeps what was done to each."""

    def __init__(self, is_broken: Callable[[list[str]], bool] = never) -> None:
        self.made: list[Desk] = []
        self._is_broken = is_broken

    def __call__(self, **settings: int) -> Desk:
        self.made.append(Desk(self._is_broken, **settings))
        return self.made[-1]

    @property
    def logs(self) -> list[list[str]]:
        return [desk.log for desk in self.made]

    def runs(self, lacks: tuple[type[Operation], ...] = ()) -> Runs:
        """Return runs on these desks, recorded nowhere."""
        return Runs(Target("tests.desk:Desk", self, DESK, None, lacks), Recorder(None))


def header(*, steps: int = 10, seed: int = 0) -> Header:
    return Header(contract="desk", driver="tests.desk:Desk", steps_max=steps, seed=seed)


class DeskScenario(Scenario):
    """A scenario of the desk, still without a rule."""

    contract = DESK
