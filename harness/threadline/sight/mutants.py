"""Mutants: each edit of each file of a system, by a number, and the sample that is tried."""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import resolve_name
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

from ..driver import Driver
from ..loading import BadName, Target, module_of
from ..model import Model
from ..scenario import Scenario
from .edits import Edit, edits_of
from .put_in import changed_source

OURS = Path(__file__).resolve().parents[1]
HARNESS = (Driver, Model, Scenario)  # what tests a system is none of it
INSTALLED = frozenset({"site-packages", "dist-packages"})


@dataclass(frozen=True, slots=True)
class Source:
    """A file of the system's: the name of its module, its path, as it is shown, and its text."""

    module: str
    file: str
    shown: str
    text: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """One edit of one source. Its `number` is its place among all of the system's."""

    number: int
    source: Source
    edit: Edit

    @property
    def place(self) -> str:
        """Where it is, as in shop/cart.py:12."""
        return f"{self.source.shown}:{self.line}"

    @property
    def line(self) -> int:
        """The line in which the edit begins."""
        return self.source.text.count("\n", 0, self.edit.start) + 1

    @property
    def lines(self) -> range:
        """The lines of which one runs where it is reached."""
        return range(self.edit.first_line, self.edit.last_line + 1)

    def diff(self) -> tuple[list[str], list[str]]:
        """Return the lines that it changes, as they are and as they are then."""
        text, edit = self.source.text, self.edit
        lines = slice(self.line - 1, self.line + text.count("\n", edit.start, edit.end))
        before = text.splitlines()[lines]
        return before, [each for each in self._changed()[lines] if each.strip()]

    def _changed(self) -> list[str]:
        return changed_source(self.source.text, self.edit).splitlines()

    @property
    def old(self) -> str:
        """The lines that it changes in one, as a reason in a file names them."""
        return _in_one(self.diff()[0])

    @property
    def new(self) -> str:
        return _in_one(self.diff()[1])


def _in_one(lines: Sequence[str]) -> str:
    return " ".join(" ".join(lines).split())


def system_of(target: Target, packages: Sequence[str]) -> list[Source]:
    """Return the sources of the packages or modules given, or else of those that a driver imports.

    Those are the packages that it declares in `threaded`, and the ones of this project that its
    file imports, but for its own and its model's. What nobody has imported by now is no part of it.
    Raises BadName where there are none, or a name leads nowhere.
    """
    driver, model = target.driver.__module__, target.model.__module__
    for name in packages:
        module_of(name, name)
    declared = target.driver.threaded if isinstance(target.driver.threaded, tuple) else ()
    names = packages or declared or _imported(driver, {driver, model})
    modules = [name for name in sys.modules if _is_in(name, names)]
    found = [source for name in sorted(modules) if (source := source_of(name))]
    if not found:
        raise BadName(
            f"no file of the system behind {target.name} is known; give its package or module, as "
            "in --package shop"
        )
    return found


def sources_of(modules: Sequence[str]) -> list[Source]:
    """Return the sources of exactly these modules, which are imported if they are not yet.

    So two processes number the mutants alike, whatever else either has imported.
    """
    for name in modules:
        module_of(name, name)
    return [source for name in modules if (source := source_of(name))]


def _is_in(name: str, names: Sequence[str]) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in names)


def _imported(driver: str, apart: set[str]) -> list[str]:
    """Return the packages of the user's own that a driver's file imports.

    Those that the driver and its model are in are left out, as they hold what tests the system.
    """
    tops = {each.partition(".")[0] for each in apart}
    found = dict.fromkeys(name.partition(".")[0] for name in imports_of(driver))
    return [name for name in found if name not in tops and is_own(sys.modules.get(name))]


def imports_of(module: str) -> list[str]:
    """Return the names that a module that is imported imports, or imports from."""
    file = getattr(sys.modules[module], "__file__", None)
    tree = ast.parse(Path(file).read_text("utf-8")) if file else ast.Module([], [])
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = sys.modules[module].__package__
            base = "." * node.level + (node.module or "")
            base = resolve_name(base, package) if node.level else base
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return names


def is_own(module: ModuleType | None) -> bool:
    """Return whether a module stands below the current folder, and is no part of the harness."""
    places = [getattr(module, "__file__", None), *getattr(module, "__path__", ())]
    files = [Path(place).resolve() for place in places if place]
    return any(
        file.is_relative_to(Path.cwd())
        and not file.is_relative_to(OURS)
        and INSTALLED.isdisjoint(file.parts)
        for file in files
    )


def source_of(name: str) -> Source | None:
    """Return the source of a module that is imported; None where it is no file of Python's."""
    file = getattr(sys.modules[name], "__file__", None)
    if file is None or not file.endswith(".py"):
        return None
    path = Path(file)
    here = Path.cwd()
    shown = path.relative_to(here) if path.is_relative_to(here) else path
    return Source(name, file, shown.as_posix(), path.read_text("utf-8"))


def mutants_of(sources: Sequence[Source]) -> list[Mutant]:
    """Return every mutant of these sources; the same sources give the same numbers."""
    found: list[Mutant] = []
    for source in sources:
        wants = partial(stands_apart, source, HARNESS)
        for edit in edits_of(source.text, wants):
            found.append(Mutant(len(found) + 1, source, edit))
    return found


def stands_apart(source: Source, kinds: tuple[type, ...], function: str) -> bool:
    """Return whether a function is no method of a class of these kinds, nor within one."""
    found: Any = sys.modules[source.module]
    for name in function.split(".")[:-1]:
        found = vars(found).get(name)
        if not isinstance(found, type):
            return True
        if issubclass(found, kinds):
            return False
    return True


def sampled(mutants: Sequence[Mutant], most: int, seed: int) -> list[Mutant]:
    """Return at most so many of the mutants, in the order in which they are tried.

    The seed decides which, and in which order, so that any number of the first ones is a fair
    sample as well.
    """
    return Random(f"{seed}/sight").sample(mutants, min(most, len(mutants)))
