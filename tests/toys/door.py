"""A model of a door, and scenarios of it in which little or nothing can fire."""

from __future__ import annotations

from threadline import Driver, Model, Pool, Scenario, Unpredictable, operation, pool, rule

NOBODY: Pool[str] = Pool(lambda now: [])


class Door(Model):
    """A door that is knocked at."""

    knocks = 0

    @operation
    def knock(self) -> int:
        """Somebody knocks; how often by now."""
        self.knocks += 1
        return self.knocks

    @operation(name=NOBODY)
    def greet(self, name: str) -> None:
        """Somebody who is there is greeted: nobody ever is."""

    @operation(when=lambda now: False, name=pool("ana"))
    def lock(self, name: str) -> None:
        """The door is locked, when that may be: never."""

    @operation
    def listen(self) -> str:
        """Nobody can say what is heard."""
        raise Unpredictable


class DoorDriver(Driver[Door]):
    """Knocks at a number."""

    knocks = 0

    def knock(self) -> int:
        self.knocks += 1
        return self.knocks

    def greet(self, name: str) -> None:
        """Greet nobody."""

    def lock(self, name: str) -> None:
        """Lock nothing."""

    def listen(self) -> str:
        return ""


class Knocking(Scenario[Door]):
    """Where knocking is all that is left."""

    listen = None


class Standing(Scenario[Door]):
    """Where nothing can fire."""

    knock = listen = None


class Listening(Scenario[Door], bare=True):
    """Where nothing can be judged."""

    listen = rule(Door.listen)


class Busy(Scenario[Door], bare=True):
    """Where there are two ways to knock."""

    knock = rule(Door.knock)
    knock_hard = rule(Door.knock)


class Hall(Model):
    """A hall in which nobody is ever greeted."""

    @operation(name=NOBODY)
    def greet(self, name: str) -> None:
        """Somebody who is there is greeted."""


class Standstill(Driver[Hall]):
    """Greets nobody."""

    def greet(self, name: str) -> None:
        """Greet nobody."""
