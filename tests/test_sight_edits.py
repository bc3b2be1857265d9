"""What the edits of a source are, of each kind, and which live functions they are put into."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Callable
from typing import Any

import pytest
from threadline.sight.edits import KINDS, Edit, edits_of
from threadline.sight.put_in import CannotPutIn, Live, changed_source


def body(*lines: str) -> str:
    """Return a function of these lines."""
    return "def f(a, b, c=None):\n" + "".join(f"    {line}\n" for line in lines)


def changed(kind: str, *lines: str) -> list[str]:
    """Return what the lines of a function become by the edits of one kind, each in one line."""
    source = body(*lines)
    texts = [changed_source(source, each) for each in edits_of(source) if each.kind == kind]
    return ["; ".join(line.strip() for line in text.splitlines()[1:]) for text in texts]


@pytest.mark.parametrize(
    ("kind", "line", "expected"),
    [
        ("boundary", "return a < b", ["return a <= b"]),
        ("boundary", "return a >= b", ["return a > b"]),
        ("boundary", "return a == b", []),
        ("comparison", "return a == b", ["return a != b"]),
        ("comparison", "return a is not None", ["return a is None"]),
        ("comparison", "return a in b", ["return a not in b"]),
        (
            "condition",
            "return a if b else c",
            ["return a if False else c", "return a if True else c"],
        ),
        (
            "condition",
            "return [x for x in a if x]",
            [f"return [x for x in a if {x}]" for x in (False, True)],
        ),
        ("boolean", "return a and (b or c)", ["return a or (b or c)"]),
        ("boolean", "return not a", ["return bool(a)"]),
        ("boolean", "return True", ["return False"]),
        ("arithmetic", "return a + b", ["return a - b"]),
        ("arithmetic", "a *= b", ["a //= b"]),
        ("arithmetic", "return 'x' + b", []),
        ("constant", "return a[10]", ["return a[11]", "return a[9]"]),
        ("constant", "return f'{a:>10}'", []),
        ("statement", "a.send(b)", ["pass"]),
        ("statement", "raise a", ["pass"]),
        ("statement", "del a[b]", ["pass"]),
        ("statement", "a = b", ["pass"]),
        ("statement", "a.b = c", ["pass"]),
        ("statement", "logger.info(a)", []),
        ("statement", "self._logger.info(a)", []),
        ("copy", "return list(a)", ["return (a)"]),
        ("copy", "return a.copy()", ["return a"]),
        ("arguments", "return a(b, c)", ["return a(c, b)"]),
        ("arguments", "return max(b, c)", []),
        ("default", "return a or b", ["return a", "return b"]),
    ],
)
def test_a_line_is_changed_by_its_kind(kind: str, line: str, expected: list[str]) -> None:
    """
    Each kind changes what it is for, and leaves alone what makes no difference or shows itself.
    """
    assert changed(kind, line) == expected


def test_every_kind_has_an_example() -> None:
    """
    No kind of change is left out by the tests above and below.
    """
    source = body(
        "try:",
        "    a(b < c, list(a) or b, not c, a + b, 1)",
        "except KeyError:",
        "    return a == b if a else c",
    )

    assert {each.kind for each in edits_of(source)} == set(KINDS)


def test_an_await_is_left_out() -> None:
    """
    What an asynchronous function awaits as a statement is a statement like others.
    """
    source = "async def f(a):\n    await a.close()\n    return 'x'\n"

    (edit,) = edits_of(source)

    assert changed_source(source, edit) == "async def f(a):\n    pass\n    return 'x'\n"


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        ("return b", ["pass", "raise"]),
        ("raise", []),
        ("raise b", ["raise"]),
        ("pass", ["raise"]),
    ],
)
def test_an_exception_is_swallowed_or_let_through(handler: str, expected: list[str]) -> None:
    """
    A handler does nothing, or raises again, unless it does so already.
    """
    source = body("try:", "    a()", "except KeyError:", f"    {handler}")

    assert [each.new for each in edits_of(source) if each.kind == "exception"] == expected


def test_a_loop_gets_no_condition_without_an_end() -> None:
    """
    The condition of a loop is never always true, as that would hang each time.
    """
    assert changed("condition", "while a:", "    a = b") == ["while False:; a = b"]


def test_a_first_assignment_is_not_left_out() -> None:
    """
    A name that has no other value would be missing in the next line, which any test sees.
    """
    assert changed("statement", "x = a", "return x") == []


def test_what_is_done_on_import_is_not_edited() -> None:
    """
    Classes, decorators, defaults, annotations and asserts are left alone.
    """
    source = """
        LIMIT = 1 + 1
        class A:
            size: int = 3
            @cached(5)
            def f(self, a: Literal[7] = 9) -> int:
                assert a < 10
                return a
    """

    assert edits_of(textwrap.dedent(source)) == []


def test_methods_of_some_classes_are_left_out() -> None:
    """
    Which functions are edited is asked for by their qualified names.
    """
    source = "class A:\n    def f(self): return 1\nclass B:\n    def f(self): return 1\n"

    found = edits_of(source, lambda name: name.startswith("B."))

    assert {each.function for each in found} == {"B.f"}


def test_other_lines_stay_where_they_are() -> None:
    """
    What is put in place of several lines takes as many, so that line numbers mean the same.
    """
    source = body("a(", "    b,", "    c,", ")", "return (", "    a", "    < b", ")")
    texts = [changed_source(source, each) for each in edits_of(source)]

    assert [text.count("\n") for text in texts] == [source.count("\n")] * len(texts)
    assert [compile(text, "f", "exec") is None for text in texts] == [False] * len(texts)


def test_letters_of_several_bytes_are_one_character() -> None:
    """
    Columns of the ast count bytes, and the edit is made at the right characters.
    """
    assert changed("boundary", "return 'éü' + a[b < c]") == ["return 'éü' + a[b <= c]"]


SHOP = """
from __future__ import annotations
import functools
from dataclasses import dataclass

def traced(function):
    def call(*given):
        return function(*given)
    return call

def plain(a):
    return a + 1

@traced
def wrapped(a):
    return a + 2

@functools.lru_cache
def cached(a):
    return a + 3

def outer(step):
    def inner(a):
        return a + step
    return inner

made = outer(4)

def each():
    yield from (5, 6)

async def later():
    return 7 + 0

class Base:
    def price(self):
        return 8

class Shop(Base):
    def __init__(self):
        self.__held = 1

    def price(self):
        return super().price() + 9

    def private(self):
        return self.__held + 10

    @property
    def open(self):
        return self.__held + 11

    @open.setter
    def open(self, value):
        self.__held = value + 12

    @staticmethod
    def tax(a):
        return a + 13

    @classmethod
    def name(cls):
        return cls.__name__ * 14

@dataclass(slots=True)
class Item:
    cost: int

    def twice(self):
        return self.cost * 15

def limited(limit):
    def check(a):
        return a if a < limit else limit
    return check

checks = limited(16)

def setting(shop):
    shop.open = 1
    return shop.open
"""


@pytest.fixture
def shop(tmp_path: Any) -> dict[str, Any]:
    """Return what a module defines that has functions of every kind, and the file it is in."""
    file = tmp_path / "shop.py"
    file.write_text(SHOP, "utf-8")
    scope: dict[str, Any] = {"__name__": __name__, "file": str(file)}
    exec(compile(SHOP, str(file), "exec"), scope)
    return scope


def edit(kind: str, line: str, new: str) -> Edit:
    """Return the edit of a kind that makes something new of a line."""
    at = SHOP.splitlines().index(line) + 1
    return next(e for e in edits_of(SHOP) if (e.kind, e.first_line, e.new) == (kind, at, new))


async def awaited(function: Callable[[], Any]) -> Any:
    return await function()


@pytest.mark.parametrize(
    ("change", "call", "before", "during"),
    [
        (("arithmetic", "    return a + 1", "a - 1"), "plain(5)", 6, 4),
        (("arithmetic", "    return a + 2", "a - 2"), "wrapped(5)", 7, 3),
        (("arithmetic", "    return a + 3", "a - 3"), "cached(5)", 8, 2),
        (("arithmetic", "        return a + step", "a - step"), "outer(1)(5)", 6, 4),
        (("arithmetic", "        return a + step", "a - step"), "made(5)", 9, 1),
        (("constant", "    yield from (5, 6)", "4"), "list(each())", [5, 6], [4, 6]),
        (("constant", "    return 7 + 0", "6"), "run(awaited(later))", 7, 6),
        (("constant", "        return super().price() + 9", "10"), "Shop().price()", 17, 18),
        (("constant", "        return self.__held + 10", "11"), "Shop().private()", 11, 12),
        (("constant", "        return self.__held + 11", "10"), "Shop().open", 12, 11),
        (("constant", "        self.__held = value + 12", "11"), "setting(Shop())", 24, 23),
        (("arithmetic", "        return a + 13", "a - 13"), "Shop.tax(20)", 33, 7),
        (("constant", "        return cls.__name__ * 14", "15"), "len(Shop.name())", 56, 60),
        (("constant", "        return self.cost * 15", "14"), "Item(2).twice()", 30, 28),
        (("condition", "        return a if a < limit else limit", "True"), "checks(20)", 16, 20),
    ],
)
def test_functions_of_every_kind_are_changed_and_put_back(
    shop: dict[str, Any], change: tuple[str, str, str], call: str, before: object, during: object
) -> None:
    """
    Who holds a function sees the change at once, and afterwards what it did before.
    """
    live = Live([shop["file"]])
    shop |= {"run": asyncio.run, "awaited": awaited}

    assert eval(call, shop) == before
    with live.changed(shop["file"], SHOP, edit(*change)):
        assert eval(call, shop) == during
    assert eval(call, shop) == before


def test_a_free_variable_that_is_used_no_more_stays_one(shop: dict[str, Any]) -> None:
    """
    A closure that lives takes a code that has lost the only use of a variable.
    """
    source = SHOP.replace("        return a + step", "        a += step\n        return a")
    scope: dict[str, Any] = {"__name__": __name__}
    exec(compile(source, shop["file"], "exec"), scope)
    left_out = next(e for e in edits_of(source) if e.new == "pass" and e.function == "outer")

    with Live([shop["file"]]).changed(shop["file"], source, left_out):
        assert scope["made"](5) == 5
        assert scope["outer"](1)(5) == 5
    assert scope["made"](5) == 9


def test_an_edit_of_no_live_function_is_refused(shop: dict[str, Any]) -> None:
    """
    What nobody can call cannot be changed, and says so.
    """
    with (
        pytest.raises(CannotPutIn, match="no function that lives has this line"),
        Live([]).changed(shop["file"], SHOP, edit("arithmetic", "    return a + 1", "a - 1")),
    ):
        pass
