"""The model of a meter, and its drivers."""

from __future__ import annotations

from threadline import (
    Census,
    Driver,
    Model,
    Operation,
    Refuse,
    Scenario,
    operation,
    pool,
    rule,
    sometimes,
)

from tests.toys.meter import Meter


class Metered(Model):
    """What is added is counted, until it is drained."""

    def __init__(self) -> None:
        self.total = 0

    @operation(amount=pool(-1, 0, 1, 5))
    def add(self, amount: int) -> int:
        """Something is added; how much it is by now."""
        if amount < 0:
            raise Refuse("negative")
        self.total += amount
        return self.total

    @operation
    def drain(self) -> None:
        """All is drained."""
        self.total = 0

    @operation(level=pool(1, 9))
    def halt(self, level: int) -> None:
        """The meter is asked to stop, at a level at which it does not."""

    @operation(level=pool(1, 9))
    def cut(self, level: int) -> None:
        """The meter is cut off, at a level at which it is not."""

    def census(self) -> Census:
        return {"total": self.total}

    def teardown(self) -> list[Operation]:
        return [Metered.drain()]


class MeteredDriver(Driver[Metered]):
    """Calls a meter."""

    through = "meter"
    refuses = {ValueError: "negative"}

    def __init__(self) -> None:
        self.meter = Meter()

    def census(self) -> Census:
        return {"total": self.meter.total}


class Broken(MeteredDriver):
    """A driver of a meter that counts more than it was given."""

    def add(self, amount: int) -> int:
        return self.meter.add(amount) + 1


class Keeping(MeteredDriver):
    """A driver that keeps each amount for ever, which only a hunt for leaks sees."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[object] = []

    def add(self, amount: int) -> int:
        self.kept.append(object())
        return self.meter.add(amount)


class Adding(Scenario[Metered]):
    """Adding alone."""

    add = rule(Metered.add, amount=pool(-1, 0, 1, 5))
    drain = None
    halt = None
    cut = None


class Growing(Adding):
    """Adding, until it is much."""

    much = sometimes("the total passes 10", lambda now: now.model.total > 10)


class InVain(Growing):
    """Adding, which never gets as far as it is said to."""

    more = sometimes("the total passes a million", lambda now: now.model.total > 1_000_000)


class Mistaken(Growing):
    """Adding, with a goal that cannot be judged."""

    much = sometimes("the total is long", lambda now: len(now.model.total) > 1)


class Draining(Scenario[Metered]):
    """Draining, too, but nothing that ends a process."""

    halt = None
    cut = None
