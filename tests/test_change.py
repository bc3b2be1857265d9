"""A mutant is one changed line: what takes its place, what is refused, and what is put back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from threadline.campaign.change import BadChange, Change, applied
from threadline.campaign.mutant import kill
from threadline.loading import Target, load_target

from tests.mutants.store import PopsTheFirst
from tests.test_mutants import MUTANTS as LISTED


class Base:
    """What is changed."""

    def price(self, amount: int = 2) -> int:
        """Return what so many cost."""
        return amount * 10


class Shop(Base):
    """Methods of every kind."""

    def price(self, amount: int = 2) -> int:
        return super().price(amount) + 1

    @property
    def sign(self) -> str:
        return "open"

    @staticmethod
    def tax(price: int, *, rate: int = 5) -> int:
        return price // rate

    @classmethod
    def name(cls) -> str:
        return cls.__name__

    async def later(self) -> str:
        await asyncio.sleep(0)
        return "later"

    async def each(self) -> AsyncIterator[int]:
        for number in (1, 2):
            yield number


def factorial(number: int) -> int:
    return number * factorial(number - 1) if number else 1


def changed(method: str, old: str, new: str) -> Change:
    return Change(f"{__name__}.{method}", old, new)


async def all_of(numbers: AsyncIterator[int]) -> list[int]:
    return [number async for number in numbers]


@pytest.mark.parametrize(
    ("change", "call", "expected"),
    [
        (changed("Base.price", "* 10", "* 100"), "Base().price()", 200),
        (changed("Base.price", "amount: int = 2", "amount: int = 3"), "Base().price()", 30),
        (changed("Shop.price", "+ 1", "+ 2"), "Shop().price()", 22),
        (changed("Shop.price", "super().price(amount)", "0"), "Shop().price()", 1),
        (changed("Shop.sign", '"open"', '"shut"'), "Shop().sign", "shut"),
        (changed("Shop.tax", "// rate", "// 2"), "Shop.tax(10)", 5),
        (changed("Shop.tax", "rate: int = 5", "rate: int = 2"), "Shop.tax(10)", 5),
        (changed("Shop.name", "cls.__name__", "cls.__name__ * 2"), "Shop.name()", "ShopShop"),
        (changed("Shop.later", '"later"', '"now"'), "asyncio.run(Shop().later())", "now"),
        (changed("Shop.each", "(1, 2)", "(3,)"), "asyncio.run(all_of(Shop().each()))", [3]),
        (changed("factorial", "else 1", "else 2"), "factorial(3)", 12),
        (changed("Base.price", "return", "amount += 1\nreturn"), "Base().price()", 30),
    ],
)
def test_a_change_is_in_force_until_it_is_undone(
    change: Change, call: str, expected: object
) -> None:
    """
    Functions, methods of every kind and properties do what their changed line says, and afterwards
    what they did before.
    """
    before = eval(call)
    with applied([change]):
        during = eval(call)

    assert during == expected
    assert eval(call) == before != expected


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            changed("Base.price", "* 11", "* 100"),
            r"'\* 11' occurs 0 times in .*Base\.price; give a",
        ),
        (changed("Base.price", "amount", "x"), "'amount' occurs 2 times"),
        (changed("Base.price", "", "x"), "'' occurs 0 times"),
        (changed("Base.price", "* 10", "* 10"), "is also what it is changed to"),
        (changed("Base.price", "* 10", "* ("), r"cannot be compiled with '\* \('"),
        (changed("Base.cost", "a", "b"), r"Base\.cost: there is no 'cost' in"),
        (changed("Base", "a", "b"), "and no function; name a function or a method"),
        (Change("nowhere.at.all", "a", "b"), "there is no such module; write"),
        (Change("builtins.len", "a", "b"), "built-in function len>, and no function"),
        (changed("Shop.tax", "//", "*"), r"Shop\.tax is changed already; write both changes"),
        (Change("tests.toys.unready.f", "a", "b"), "cannot be imported: No module named 'nowhere'"),
    ],
)
def test_a_change_that_cannot_be_made_is_refused(change: Change, said: str) -> None:
    """
    The error says what is there instead, and nothing was changed.
    """
    with pytest.raises(BadChange, match=said), applied([changed("Shop.tax", "5", "2"), change]):
        pass

    assert Shop.tax(10) == 2
    assert Base().price() == 20


def test_a_mutant_is_one_while_a_driver_of_it_lives() -> None:
    """
    The last driver of a mutant that is closed takes the bug with it; one closed twice does no harm.
    """
    target = load_target("tests.mutants.store:PopsTheFirst")
    clean = load_target("drivers.memory_store:MemoryStoreDriver").make
    assert target.driver.__name__ == "MemoryStoreDriver"
    drivers = [target.make(), target.make()]
    popped = []
    for driver in (*drivers, drivers[0]):
        popped.append(pops(clean()))
        driver.close()

    assert [*popped, pops(clean())] == ["first", "first", "last", "last"]


def pops(driver: object) -> str:
    store = driver.store  # type: ignore[attr-defined]  # of a MemoryStoreDriver
    conversation = store.open("ana", "t")
    store.append(conversation, "first")
    store.append(conversation, "last")
    popped: str = store.pop(conversation)
    return popped


def test_a_mutant_whose_driver_cannot_be_made_changes_nothing() -> None:
    """
    A driver that refuses its settings leaves no bug behind.
    """
    with pytest.raises(TypeError):
        PopsTheFirst(no_such_setting=1)

    assert pops(load_target("drivers.memory_store:MemoryStoreDriver").make()) == "last"


def test_a_mutant_that_has_rotted_is_refused_and_not_killed() -> None:
    """
    That a line is no longer there is an error of who wrote the mutant, and no failure of a system.
    """
    rotten = replace(PopsTheFirst, old="turns.popp()")
    target = Target("rotten", rotten, rotten.driver)

    with pytest.raises(BadChange, match=r"in the function at .*memory_store\.py:\d+, and"):
        kill(rotten, target, engine="explore", seed=0)


def test_every_listed_mutant_can_be_made() -> None:
    """
    No mutant has rotted: each `old` occurs exactly once in its function today.
    """
    for mutant in LISTED.values():
        with applied(mutant.changes):
            pass
