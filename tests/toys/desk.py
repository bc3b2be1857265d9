"""A desk with tickets, keys and a bell: the toy model on which the engines are tried."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from threadline import (
    Census,
    Driver,
    Handle,
    Model,
    Operation,
    Pool,
    Refuse,
    Refused,
    Scenario,
    operation,
    pool,
    rule,
)
from threadline.loading import Target
from threadline.lockstep.run import Runs
from threadline.trace import Header, Recorder

CODE = ["press 3", "press 1", "press 2", "press 1", "press 3"]
DRIVER = "tests.toys.desk:DeskDriver"


class Desk(Model):
    """Which tickets are out, and how far the code has been keyed in."""

    def __init__(self, size: int = 0) -> None:
        self.size = size
        self.tickets: list[Handle] = []
        self.keyed = 0

    @operation
    def enter(self, user: str) -> Handle:
        """A user takes a ticket."""
        self.tickets.append(self.new("t"))
        return self.tickets[-1]

    @operation
    def leave(self, ticket: Handle) -> None:
        """A ticket is given back."""
        if ticket not in self.tickets:
            raise Refuse("left", because=f"{ticket} was given back")
        self.tickets.remove(ticket)

    @operation
    def press(self, key: int) -> None:
        """A key is pressed."""
        right = self.keyed < len(CODE) and CODE[self.keyed] == f"press {key}"
        self.keyed = self.keyed + 1 if right else 0

    @operation
    def ring(self) -> None:
        """The bell is rung."""

    def census(self) -> Census:
        return {"tickets": self.tickets}

    def shape(self) -> Hashable:
        return len(self.tickets), self.keyed


class DeskDriver(Driver[Desk]):
    """Does what the model does, until what was done to it makes it break.

    `log` has a line for each operation, as in "enter ana" or "leave ticket 1".
    """

    def __init__(self, is_broken: Callable[[list[str]], bool], size: int = 0) -> None:
        self.log: list[str] = []
        self.size = size
        self._is_broken = is_broken
        self._made = 0
        self._tickets: list[str] = []

    def enter(self, user: str) -> object:
        self._made += 1
        self._tickets.append(f"ticket {self._made}")
        return self._note(f"enter {user}", self._tickets[-1])

    def leave(self, ticket: str) -> object:
        if ticket not in self._tickets:
            return self._note(f"leave {ticket}", Refused("left"))
        self._tickets.remove(ticket)
        return self._note(f"leave {ticket}")

    def press(self, key: int) -> object:
        return self._note(f"press {key}")

    def ring(self) -> object:
        return self._note("ring")

    def census(self) -> Census:
        return {"tickets": self._tickets}

    def _note(self, line: str, answer: object = None) -> object:
        self.log.append(line)
        return Refused("broken") if self._is_broken(self.log) else answer


def never(_log: list[str]) -> bool:
    return False


class Desks:
    """Makes desks that break alike, and keeps what was done to each."""

    def __init__(self, is_broken: Callable[[list[str]], bool] = never) -> None:
        self.made: list[DeskDriver] = []
        self._is_broken = is_broken

    def __call__(self, **settings: int) -> DeskDriver:
        self.made.append(DeskDriver(self._is_broken, **settings))
        return self.made[-1]

    @property
    def logs(self) -> list[list[str]]:
        return [desk.log for desk in self.made]

    def runs(self, lacks: tuple[type[Operation], ...] = ()) -> Runs:
        """Return runs on these desks, recorded nowhere."""
        return Runs(Target(DRIVER, self, DeskDriver, lacks), Recorder(None))


def header(*, steps: int = 10, seed: int = 0) -> Header:
    return Header(contract="desk", driver=DRIVER, steps_max=steps, seed=seed)


class DeskScenario(Scenario[Desk], bare=True):
    """A scenario of the desk, still without a rule."""


TICKETS: Pool[Handle] = Pool(lambda now: now.model.tickets)


class Sized(DeskScenario):
    """Presses the key of the size that the model has."""

    settings = {"size": pool(1, 2, 3)}

    press = rule(Desk.press, key=Pool(lambda now: [now.model.size]))
