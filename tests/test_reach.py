"""The rooted path census: what is seen, under which path, and what is left alone."""

from __future__ import annotations

import asyncio
import gc
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import closing
from functools import lru_cache, partial
from types import ModuleType

import pytest
from threadline.clock import VirtualClock
from threadline.leaks.reach import Reach
from threadline.pump import Pump


class Plain:
    """An object with attributes."""

    def __init__(self, held: object = None) -> None:
        self.held = held

    def ring(self) -> None:
        """Do nothing: a callback."""


class Slotted:
    """An object with slots, of which one is never set."""

    __slots__ = ("held", "unset")

    def __init__(self, held: object) -> None:
        self.held = held


class Node:
    """One of a chain."""

    def __init__(self, next_one: Node | None) -> None:
        self.next_one = next_one


def counts(root: object) -> dict[str, int]:
    """Return what a census counts, by the text of its path."""
    reach = Reach(lambda: {"root": root})
    return {str(reach.paths.path(at)): count for at, count in reach.census().items()}


@pytest.mark.parametrize(
    ("held", "path", "count"),
    [
        ({"a": 1, "b": 2}, ".held -> dict / len()", 2),
        ([None, None, None], ".held -> list / len()", 3),
        ({"x", "y"}, ".held -> set / len()", 2),
        (deque([1]), ".held -> deque / len()", 1),
        (OrderedDict(a=1), ".held -> OrderedDict / len()", 1),
        (bytearray(7), ".held -> bytearray / len()", 7),
        ([Plain(), Plain()], ".held -> list / [*] -> Plain", 2),
        ({("a", Plain()): 1}, ".held -> dict / key -> tuple / [*] -> Plain", 1),
        (Slotted([1]), ".held -> Slotted / .held -> list / len()", 1),
        (partial(print, Plain()), ".held -> partial / argument -> Plain", 1),
        (Plain().ring, ".held -> method / self -> Plain", 1),
        ([].append, ".held -> builtin_function_or_method / self -> list / len()", 0),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_counts_what_an_object_holds(held: object, path: str, count: int) -> None:
    """Each kind of holder shows what it holds, atoms by its length."""
    assert counts(Plain(held))[f"root: Plain / {path}"] == count


def test_looks_into_closures_and_defaults() -> None:
    """A callback holds what it is closed over, and its defaults."""
    kept = [1, 2]

    def callback(more: Plain = Plain()) -> object:  # noqa: B008  # what is looked for
        return kept, more

    found = counts(Plain(callback))

    assert found["root: Plain / .held -> function / closure kept -> list / len()"] == 2
    assert found["root: Plain / .held -> function / default -> Plain"] == 1


def test_counts_the_entries_of_an_lru_cache() -> None:
    """A function that remembers its results holds them."""

    @lru_cache(8)
    def squared(number: int) -> int:
        return number * number

    squared(1), squared(2)

    assert counts(Plain(squared))["root: Plain / .held -> _lru_cache_wrapper / len()"] == 2


def test_counts_each_object_once_on_its_shortest_path() -> None:
    """What is held in two places is counted in the nearer one."""
    shared = Plain()
    root = Plain([shared])
    root.near = shared  # type: ignore[attr-defined]  # a second way to it

    found = counts(root)

    assert found["root: Plain / .near -> Plain"] == 1
    assert "root: Plain / .held -> list / [*] -> Plain" not in found


def test_a_chain_of_one_type_is_one_path() -> None:
    """A linked list is counted under the path of its first link, however long it is."""
    chain = Node(None)
    for _ in range(9):
        chain = Node(chain)

    assert counts(chain) == {"root: Node": 1, "root: Node / .next_one -> Node": 9}


def test_sees_tasks_and_timers_of_a_loop_and_what_they_hold() -> None:
    """
    A loop shows its tasks with what their coroutines hold, and the timers that are not cancelled.
    """
    kept, called = Plain(), Plain()

    async def waits(held: Plain) -> None:
        await asyncio.Event().wait()
        del held

    async def begin() -> asyncio.Task[None]:
        loop = asyncio.get_running_loop()
        loop.call_later(60, called.ring)
        loop.call_later(60, print).cancel()
        return asyncio.create_task(waits(kept))

    with closing(Pump(VirtualClock())) as pump:
        task = pump.call(begin())
        pump.settle()
        found = counts(pump.loop)

    assert found["root: _Loop / timer -> TimerHandle"] == 1
    assert found["root: _Loop / task -> Task"] == 2  # the pump's own is one
    assert found["root: _Loop / timer -> TimerHandle / callback -> method / self -> Plain"] == 1
    assert task.cancelled()


def test_looks_into_a_module_that_is_a_root() -> None:
    """Module globals and class attributes are seen, once they hold something; imports are not."""
    module = ModuleType("shop")
    exec(
        "import os\nCACHE = None\nclass Shop:\n    sold = []\n    def sell(self): ...", vars(module)
    )
    reach = Reach(lambda: {"shop": module})
    before = {str(reach.paths.path(at)) for at in reach.census()}

    module.CACHE = {"a": 1}  # type: ignore[attr-defined]  # as the module would
    module.Shop.sold.append(1)
    after = {str(reach.paths.path(at)): count for at, count in reach.census().items()}

    assert "shop: module / .os -> module" not in before
    assert after["shop: module / .CACHE -> dict / len()"] == 1
    assert after["shop: module / .Shop.sold -> list / len()"] == 1


def test_leaves_modules_classes_and_weak_references_alone() -> None:
    """What belongs to everybody ends the way."""
    import_like = Plain([gc, Plain, len])

    assert counts(import_like) == {
        "root: Plain": 1,
        "root: Plain / .held -> list": 1,
        "root: Plain / .held -> list / len()": 3,
        "root: Plain / .held -> list / [*] -> builtin_function_or_method": 1,
    }


def test_asks_no_property_and_no_future() -> None:
    """Looking changes nothing: a property is not called, a failed future still complains."""
    asked: list[str] = []

    class Watchful(Plain):
        @property
        def size(self) -> int:
            asked.append("size")
            return 1

    counts(Watchful())

    assert asked == []


def test_costs_the_same_in_a_large_heap() -> None:
    """Objects that no root leads to are not visited."""
    looked: list[object] = []
    others = [[number] for number in range(50_000)]
    reach = Reach(partial(dict, root=Plain([1])))

    looked.extend(found for _, found in reach.all_objects())

    assert len(looked) == 2
    assert len(others) == 50_000


def test_returns_the_objects_on_a_path() -> None:
    """A path leads back to what was counted; a length, to its container."""
    kept = [Plain(), Plain()]
    reach = Reach(partial(dict, root=Plain(kept)))
    paths = {str(reach.paths.path(at)): reach.paths.path(at) for at in reach.census()}

    assert reach.objects(paths["root: Plain / .held -> list / [*] -> Plain"]) == kept
    assert reach.objects(paths["root: Plain / .held -> list / len()"]) == [kept]


@pytest.mark.parametrize(
    ("make", "name"),
    [(lambda: {"k": Plain()}, "root.held"), (lambda: [Slotted(1)], "root.held.each")],
)
def test_names_a_path_for_files_and_signatures(make: Callable[[], object], name: str) -> None:
    """The short name of a path has the labels alone."""
    reach = Reach(partial(dict, root=Plain(make())))

    assert name in {reach.paths.path(at).name for at in reach.census()}
