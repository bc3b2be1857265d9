"""A model and a system that do nothing, to see what an engine costs by itself."""

from __future__ import annotations

from collections.abc import Hashable

from threadline import Census, Driver, Model, Pool, Scenario, operation, pool, rule

NOTHING: Census = {}


class Null(Model):
    """Does nothing, and always says that it is done."""

    @operation
    def rest(self) -> None:
        """Nothing is done."""

    @operation
    def greet(self, user: str, word: str) -> None:
        """Somebody is greeted, without a response."""

    @operation
    def count(self, number: int) -> None:
        """A number that is new in each step is passed on, to nobody."""

    def census(self) -> Census:
        return NOTHING

    def shape(self) -> Hashable:
        return ()


class NullDriver(Driver[Null]):
    """The same, as a system."""

    def rest(self) -> None:
        """Do nothing."""

    def greet(self, user: str, word: str) -> None:
        """Do nothing."""

    def count(self, number: int) -> None:
        """Do nothing."""

    def census(self) -> Census:
        return NOTHING


class Idle(Scenario[Null], bare=True):
    """One rule without arguments, one with fixed pools, one whose pool changes with each step."""

    rest = rule(Null.rest)
    greet = rule(Null.greet, user=pool("ana", "ben"), word=pool("hello", "goodbye"))
    count = rule(Null.count, number=Pool(lambda now: [now.step]))
