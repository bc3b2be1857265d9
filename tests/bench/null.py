"""A model and a system that do nothing, to see what an engine costs by itself."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Self

from threadline.contract import Census, Contract, Driver
from threadline.failure import Property
from threadline.operation import Operation
from threadline.outcome import Ok, Outcome
from threadline.pool import Pool, pool
from threadline.rule import rule
from threadline.scenario import Scenario

DONE = Ok()
NOTHING: Census = {}


@dataclass(frozen=True, slots=True)
class Rest(Operation):
    """Nothing is done."""

    def apply(self, target: Null) -> Outcome:
        return target.rest()


@dataclass(frozen=True, slots=True)
class Greet(Operation):
    """Somebody is greeted, without a response."""

    user: str
    word: str

    def apply(self, target: Null) -> Outcome:
        return target.greet(self.user, self.word)


@dataclass(frozen=True, slots=True)
class Count(Operation):
    """A number that is new in each step is passed on, to nobody."""

    number: int

    def apply(self, target: Null) -> Outcome:
        return target.count(self.number)


class Null:
    """Does nothing, and always says that it is done."""

    def __init__(self, _policy: object = None) -> None:
        pass

    def at(self, _step: int) -> Self:
        return self

    def rest(self) -> Outcome:
        return DONE

    def greet(self, _user: str, _word: str) -> Outcome:
        return DONE

    def count(self, _number: int) -> Outcome:
        return DONE

    def census(self) -> Census:
        return NOTHING

    def shape(self) -> Hashable:
        return ()


class NullDriver(Null, Driver):
    """The same, as a system."""

    contract = Contract("null", (Rest, Greet, Count), Null, None, lambda *_: Property.CONTINUITY)


class Idle(Scenario):
    """One rule without arguments, one with fixed pools, one whose pool changes with each step."""

    contract = NullDriver.contract

    @rule()
    def rest(self) -> Rest:
        return Rest()

    @rule(user=pool("ana", "ben"), word=pool("hello", "goodbye"))
    def greet(self, user: str, word: str) -> Greet:
        return Greet(user, word)

    @rule(number=Pool(lambda now: [now.step]))
    def count(self, number: int) -> Count:
        return Count(number)
