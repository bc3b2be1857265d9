"""Tests of loading: drivers and scenarios by their names, and what is said of a wrong one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from threadline import Driver, Scenario
from threadline.contracts.conversation_store import ConversationStore, Store
from threadline.defaults import BadDefaults, read_defaults
from threadline.driver import end
from threadline.loading import (
    BadName,
    first_target,
    fits,
    load,
    load_scenario,
    load_target,
    scenarios_beside,
)
from threadline.scenario import own_scenario

from drivers.memory_store import MemoryStoreDriver
from tests.project import ROOT, forget
from tests.toys.racing import AtOnce, Diaries, Diary, RightDriver
from tests.toys.shelf import Leaky, Shelf, ShelfDriver
from tests.toys.stores import Misnamed

STORE = "drivers.memory_store:MemoryStoreDriver"
SHELF = (ROOT / "tests" / "toys/shelf.py").read_text("utf-8")
SCENARIO = '''
from threadline import Scenario

class OnlyPut(Scenario[Shelf]):
    """Takes nothing."""

    take = None
'''


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Go to a folder of one's own, and forget afterwards what was imported from it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    forget(tmp_path)


def written(path: str, text: str = SHELF) -> None:
    """Write a module into the current folder."""
    Path(path).parent.mkdir(exist_ok=True)
    Path(path).write_text(text, "utf-8")


def test_finds_an_object_in_a_module() -> None:
    """MODULE:NAME is what is called so in the module."""
    assert load(STORE) is MemoryStoreDriver


def test_finds_a_module_in_the_current_folder() -> None:
    """The folder in which a command is typed is looked into first."""
    written("my_shelf.py")

    assert load("my_shelf:Shelf").__doc__ == Shelf.__doc__


def test_finds_an_object_in_a_file() -> None:
    """PATH:NAME is what is called so in the file of that path."""
    written("deep/my_shelf.py")

    assert load("./deep/my_shelf.py:Shelf").__doc__ == Shelf.__doc__


def test_loads_a_file_once() -> None:
    """A driver and a model from one file are of one module, by whichever name it is loaded."""
    written("my_shelf.py")
    driver = load("./my_shelf.py:ShelfDriver")

    assert driver.model is load("./my_shelf.py:Shelf")
    assert driver.model is load("my_shelf:Shelf")


def test_a_file_imports_its_neighbours() -> None:
    """What stands beside a file can be imported by it, as when it is run."""
    written("deep/my_shelf.py")
    written("deep/my_driver.py", "from my_shelf import ShelfDriver as Mine\n")

    assert load_target("deep/my_driver.py:Mine").model is load("my_shelf:Shelf")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nope", r"'nope' names no object; write MODULE:NAME, .*, or PATH:NAME, as in \./mine\.py"),
        (":Nope", r"':Nope' names no object"),
        ("nope:", r"'nope:' names no object"),
        ("nope:Nope", r"No module named 'nope'; run threadline in the folder that holds it"),
        ("needing:Nope", r"No module named 'not_there'; install it, or the extra that brings it"),
        ("./nope.py:Nope", r"there is no file nope\.py; write the path from the current folder"),
        ("drivers.memory_store:Nope", r"has no 'Nope'; it has Conversation, MemoryStore, Memory"),
        ("failing:Nope", r"'failing:Nope' cannot be imported: failing\.py:3: ZeroDivisionError: "),
        ("./failing.py:Nope", r"cannot be imported: failing\.py:3: ZeroDivisionError: "),
        ("wrong:Nope", r"'wrong:Nope' cannot be imported: .*SyntaxError"),
    ],
)
def test_says_what_of_a_name_leads_nowhere(name: str, message: str) -> None:
    """Which half was not found, or what went wrong on the way, in one line."""
    written("needing.py", "import not_there\n")
    written("failing.py", "def half():\n    return 1 // 2\nSIZE = 1 // 0\n")
    written("wrong.py", "def\n")

    with pytest.raises(BadName, match=message):
        load(name)


def test_a_file_that_cannot_be_imported_is_forgotten() -> None:
    """Once it is mended, it is loaded."""
    written("my_shelf.py", "SIZE = 1 // 0\n")
    with pytest.raises(BadName):
        load("./my_shelf.py:Shelf")
    written("my_shelf.py")

    assert load("./my_shelf.py:Shelf").__doc__ == Shelf.__doc__


def test_a_driver_is_not_made_to_be_looked_at() -> None:
    """A class tells all that there is to know of it."""
    written("dear.py", f"{SHELF}\nclass Dear(Leaky):\n    def __init__(self): raise OSError\n")
    target = load_target("dear:Dear")

    assert (target.name, target.model.name, target.lacks) == ("dear:Dear", "shelf", ())


def test_what_a_function_makes_is_looked_at_and_closed() -> None:
    """A function is called once, and what it makes is given back."""
    written(
        "made.py",
        f"""{SHELF}
def make():
    return Closed(1)

class Closed(Leaky):
    closed = 0
    def close(self):
        Closed.closed += 1
""",
    )
    target = load_target("made:make")

    assert target.driver is load("made:Closed")
    assert load("made:Closed").closed == 1


def test_a_driver_lacks_what_it_has_no_method_for() -> None:
    """An operation without a method is left out, and so is one that is taken back."""
    written("lacking.py", f"{SHELF}\nclass Lacking(ShelfDriver):\n    take = None\n")
    target = load_target("lacking:Lacking")

    assert [operation.kind for operation in target.lacks] == ["take"]


def test_a_driver_has_the_policy_of_its_model() -> None:
    """A driver that declares none is held to the model's own."""
    assert load_target(STORE).policy is ConversationStore.policy


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("threadline.pool:Pool", "Pool'> *.*which is no driver; derive it from Driver"),
        ("tests.toys.shelf:BOOKS", "which makes no driver; name a class or a function"),
        ("tests.toys.shelf:Shelf", "which is no driver; derive it from Driver"),
        ("tests.toys.desk:never", "tests.toys.desk:never makes no driver: .*missing 1 required"),
        ("tests.toys.desk:header", "makes <class 'threadline.trace.Header'>, which is no driver"),
        ("threadline:Driver", r"which names no model; .*class MyDriver\(Driver\[Conversation"),
        (
            "tests.toys.stores:Misnamed",
            r"Misnamed\.appends is no operation .*; did you mean append\?",
        ),
    ],
)
def test_says_what_is_wrong_with_a_driver(name: str, message: str) -> None:
    """What it is, what was expected, and what to write."""
    with pytest.raises(BadName, match=message):
        load_target(name)


class Private(Misnamed):
    """Has methods of its own, one of which begins like an operation."""

    appends = None  # type: ignore[assignment]  # not one that is near a name

    def _appends(self) -> None:
        """Is nobody's business."""

    def export(self) -> None:
        """Is near no operation."""


def test_methods_of_its_own_are_no_mistake() -> None:
    """A private method, and one that is near no operation, are a driver's own."""
    assert load_target("tests.test_loading:Private").driver.__name__ == "Private"


class PlainDiaries(Driver[Diary]):
    """Waits for nothing."""

    def note(self, text: str) -> None:
        pass

    def read(self) -> list[str]:
        return []


class Waiting(Scenario[Diary]):
    """Lines at once."""

    overlap = True


def test_the_first_driver_of_a_model_is_taken() -> None:
    """One that cannot be loaded, and one of another model, are passed over."""
    names = ["nope:Nope", "tests.toys.shelf:ShelfDriver", STORE, "tests.toys.stores:hangs"]
    found = first_target(names, Store)

    assert found is not None
    assert found.name == STORE


def test_no_driver_of_a_model_is_none() -> None:
    """Where none fits, there is no target."""
    assert first_target([STORE], own_scenario(Shelf)) is None


def test_what_overlaps_fits_drivers_with_asynchronous_methods() -> None:
    """On a driver with plain methods, nothing could go on beside anything else."""
    assert fits(AtOnce, RightDriver)
    assert fits(Waiting, Diaries)
    assert not fits(Waiting, PlainDiaries)


class ThreadedDiaries(PlainDiaries):
    """Is called from threads."""

    threaded = True


def test_what_overlaps_fits_drivers_that_are_called_from_threads() -> None:
    """Their plain methods go on beside each other."""
    assert fits(Waiting, ThreadedDiaries)


def test_loads_a_scenario() -> None:
    """A class derived from Scenario[MODEL] is played as it is."""
    assert load_scenario("threadline.contracts.conversation_store:Store") is Store


def test_loads_a_model_as_a_scenario() -> None:
    """A model is the scenario of all its operations, the same one each time."""
    own = load_scenario("tests.toys.shelf:Shelf")

    assert [rule.name for rule in own.rules()] == ["put", "take"]
    assert own is load_scenario("tests.toys.shelf:Shelf")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (STORE, "which is no scenario; derive a class from Scenario"),
        ("threadline:Scenario", "which is no scenario; derive a class from Scenario"),
        ("tests.toys.shelf:BOOKS", "which is no scenario; derive a class from Scenario"),
        (
            "threadline.contracts.conversation_store:ConversationStore",
            r"ConversationStore\.open has no pool for user, thread; give it one, @operation\(user",
        ),
    ],
)
def test_says_what_is_wrong_with_a_scenario(name: str, message: str) -> None:
    """What it is, what was expected, and what to write."""
    with pytest.raises(BadName, match=message):
        load_scenario(name)


def test_the_scenarios_beside_a_driver_are_its_model() -> None:
    """Without a scenario in its file or the model's, the model is played itself."""
    assert scenarios_beside(Leaky) == ["tests.toys.shelf:Shelf"]


def test_the_scenarios_beside_a_driver_are_those_of_its_model() -> None:
    """The file of the model may have one that serves all drivers."""
    name = "threadline.contracts.conversation_store:Store"

    assert scenarios_beside(MemoryStoreDriver) == [name]


def test_the_scenarios_beside_a_driver_are_those_of_its_own_file() -> None:
    """Those that stand beside the driver come first; what is imported there is not beside it."""
    written("mine.py", f"{SHELF}{SCENARIO}")
    written("other.py", "from mine import Leaky, OnlyPut\n\nclass Mine(Leaky): ...\n")

    assert scenarios_beside(load("mine:Leaky")) == ["mine:OnlyPut"]
    assert scenarios_beside(load("other:Mine")) == ["mine:OnlyPut"]


def test_a_target_makes_drivers_of_its_own() -> None:
    """Another way to make a driver of the same model can be put in place of the class."""
    made: list[Driver[Shelf]] = []

    def make(places: int) -> Driver[Shelf]:
        made.append(ShelfDriver(places))
        return made[-1]

    driver = replace(load_target("tests.toys.shelf:ShelfDriver"), make=make).new_driver(
        {"places": 1}
    )
    end(driver)

    assert driver is made[0]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("[tool", "pyproject.toml cannot be read: "),
        ("\ud800".encode("utf-8", "surrogatepass"), "pyproject.toml cannot be read: "),
        ("[tool]\nthreadline = 3", "tool.threadline is 3; write it as a table"),
        ("[tool.threadline]\ndriver = 3", "driver is 3; write a text"),
    ],
)
def test_says_what_is_wrong_with_a_project(
    tmp_path: Path, content: str | bytes, complaint: str
) -> None:
    """A file that is no TOML, or has no such table, is told in a line."""
    data = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "pyproject.toml").write_bytes(data)

    with pytest.raises(BadDefaults, match=complaint):
        read_defaults(tmp_path)
