"""A model of a meter, of which no run takes one way."""

from __future__ import annotations

from threadline import Census, Driver, Model, Scenario, operation, pool, rule

from tests.toys.meter import Meter


class OneWay(Model):
    """What is added is counted; that nothing can be added is thought of, and never comes."""

    def __init__(self) -> None:
        self.total = 0

    @operation(amount=pool(1, 5))
    def add(self, amount: int) -> int:
        """Something is added; how much it is by now."""
        if amount:
            self.total += amount
        return self.total

    @operation
    def drain(self) -> None:
        """All is drained."""
        while self.total:
            self.total = 0

    def census(self) -> Census:
        return {"total": self.total}


class OneWayDriver(Driver[OneWay]):
    """Calls a meter."""

    through = "meter"

    def __init__(self) -> None:
        self.meter = Meter()

    def census(self) -> Census:
        return {"total": self.meter.total}


class Both(Scenario[OneWay], bare=True):
    """Adding and draining."""

    add = rule(OneWay.add, amount=pool(1, 5))
    drain = rule(OneWay.drain)
