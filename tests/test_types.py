"""What mypy --strict says of the wrong argument of an operation, in a rule and in a driver."""

from __future__ import annotations

from pathlib import Path

import mypy.api
import pytest

RIGHT = '''"""A to-do list, as it should be."""

from threadline import Driver, Handle, Model, Pool, Scenario, operation, pool, rule

OPEN: Pool[Handle] = Pool(lambda now: list(now.model.lists))


class TodoLists(Model):
    def __init__(self) -> None:
        self.lists: dict[Handle, list[str]] = {}

    @operation(user=pool("ana"))
    def create(self, user: str) -> Handle:
        return self.new("l")

    @operation(todo=OPEN, text=pool("x"))
    def add(self, todo: Handle, text: str) -> int:
        return len(text)


class Alike(Scenario[TodoLists]):
    add = rule(TodoLists.add, todo=OPEN, text=pool("y") | pool("z"), weight=6)


class Mine(Driver[TodoLists]):
    def create(self, user: str) -> object:
        return object()

    async def add(self, todo: object, text: str) -> int:
        return len(text)


TodoLists.add(Handle("l", 1), "x")
'''
WRONG = """
TodoLists.add(Handle("l", 1), 7)
TodoLists().add(Handle("l", 1), 7)


class Odd(Scenario[TodoLists]):
    another_type = rule(TodoLists.add, todo=OPEN, text=pool(7))
    another_name = rule(TodoLists.add, todo=OPEN, txt=pool("x"))
    another_constant = rule(TodoLists.add, todo=OPEN, text=7)


class Other(Driver[TodoLists]):
    def create(self, user: int) -> object:
        return object()

    def add(self, todo: object) -> int:
        return 1


class Wrong(Model):
    @operation(user=pool(7))
    def create(self, user: str) -> None: ...
"""


def said_of(code: str, folder: Path, *, plugin: bool = True) -> str:
    """Return what mypy --strict prints of a file, with the plugin or without."""
    (folder / "mine.py").write_text(code, "utf-8")
    lines = ["[mypy]", "strict = true", *(["plugins = threadline.mypy_plugin"] if plugin else [])]
    (folder / "mypy.ini").write_text("\n".join(lines), "utf-8")
    words = ["--config-file", str(folder / "mypy.ini"), "--cache-dir", str(folder / "cache")]
    out, errors, _ = mypy.api.run([*words, str(folder / "mine.py")])
    assert errors == ""
    return out


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> str:
    return said_of(RIGHT + WRONG, tmp_path_factory.mktemp("wrong"))


def test_what_is_right_passes(tmp_path: Path) -> None:
    """A model, a scenario and a driver whose types fit are told to have no issues."""
    assert said_of(RIGHT, tmp_path).startswith("Success: no issues found")


@pytest.mark.parametrize(
    "error",
    [
        'Argument 2 to "__call__" of "OperationType" has incompatible type "int"; expected "str"',
        'Argument 2 has incompatible type "int"; expected "str"',
        "rule: text of TodoLists.add is a str, and its pool gives int",
        "rule: TodoLists.add takes todo, text, and is given 'txt'",
        "rule: text of TodoLists.add is a str, and it is given int",
        "driver: user of TodoLists.create is a str, and Other.create takes an int",
        "driver: TodoLists.add takes todo, text, and Other.add takes todo",
        "operation: user of Wrong.create is a str, and its pool gives int",
    ],
)
def test_what_is_wrong_is_rejected(wrong: str, error: str) -> None:
    """A wrong argument is told by operation and argument, wherever it stands."""
    assert error in wrong


def test_nothing_else_is_rejected(wrong: str) -> None:
    """There is one error for each of the eight mistakes."""
    assert "Found 8 errors in 1 file" in wrong


def test_operations_are_checked_without_the_plugin(tmp_path: Path) -> None:
    """Both forms of a wrong call are rejected by types alone."""
    assert "Found 2 errors in 1 file" in said_of(RIGHT + WRONG, tmp_path, plugin=False)
