"""Imports from two sides: the system from a checkout, what tests it from the user's own files."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from ..allowed import INSTALLED
from ..loading import Target
from ..trace import Header

OURS = "threadline"
TESTS = frozenset({"tests", "test", "conftest"})
DEPTH_MAX = 4  # packages within each other that are looked into; our choice


@dataclass(frozen=True, slots=True)
class Sides:
    """A finder of modules that takes each from one of two trees, by its path in them.

    What lies below one of `own` is taken from `now`, all else from `then`; where `system` names
    paths, these alone are taken from `then`. What is installed is left where it is.
    """

    now: Path
    then: Path
    own: tuple[str, ...] = ()
    system: tuple[str, ...] | None = None

    def is_then(self, path: Path) -> bool:
        """Return whether a path, relative to both trees, is taken from the checkout."""
        if self.system is not None:
            return any(path.is_relative_to(each) for each in self.system)
        return not any(path.is_relative_to(each) for each in self.own)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a module is, on the side that it is to be taken from.

        Raises ModuleNotFoundError where it is on the other side only.
        """
        if name.partition(".")[0] == OURS:
            return None
        found = self._found(name, path, target)
        place = _place(found) if found is not None else None
        inside = self._inside(place) if place is not None else None
        if found is None or place is None or inside is None:
            return found
        wanted = (self.then if self.is_then(inside) else self.now) / inside
        if wanted == place:
            return found
        if not wanted.exists():
            raise ModuleNotFoundError(f"No module named {name!r} at this revision", name=name)
        return _spec(name, wanted, is_package=found.submodule_search_locations is not None)

    def _found(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None
    ) -> ModuleSpec | None:
        """Return what the other finders find, on this side or else on the other."""
        for finder in sys.meta_path:
            find: Any = getattr(finder, "find_spec", None)
            if finder is not self and find is not None:
                spec: ModuleSpec | None = find(name, path, target)
                if spec is not None:
                    return spec
        across = [self._across(Path(each)) for each in (sys.path if path is None else path)]
        return PathFinder.find_spec(name, [str(each) for each in across if each is not None])

    def _across(self, place: Path) -> Path | None:
        inside = self._inside(place)
        if inside is None:
            return None
        return (self.now if place.is_relative_to(self.then) else self.then) / inside

    def _inside(self, place: Path) -> Path | None:
        """Return a path within its tree; None where it is in none, or was installed there."""
        for root in (self.then, self.now):
            if place.is_relative_to(root):
                inside = place.relative_to(root)
                return None if _is_installed(root, inside) else inside
        return None


def _place(spec: ModuleSpec) -> Path | None:
    """Return the file of a module, or the folder of a package that has none."""
    places = [spec.origin, *(spec.submodule_search_locations or ())]
    found = next((each for each in places if each and os.path.isabs(each)), None)
    return Path(found).resolve() if found else None


def _spec(name: str, place: Path, *, is_package: bool) -> ModuleSpec | None:
    if place.is_dir():
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(place)]
        return spec
    folders = [str(place.parent)] if is_package else None
    return spec_from_file_location(name, place, submodule_search_locations=folders)


def _is_installed(root: Path, inside: Path) -> bool:
    if any(part.startswith(".") or part in INSTALLED for part in inside.parts):
        return True
    return any((root / folder / "pyvenv.cfg").exists() for folder in [*inside.parents][:-1])


def own_paths(target: Target, header: Header, root: Path) -> tuple[str, ...]:
    """Return the paths below `root` of what tests a system: driver, model, scenario, and tests.

    Each with the top-level package that it is in; where nothing else of the project is imported,
    with the package below that, as in app.testing.driver beside app.core. () where there is no
    system apart from its driver: both are in one file, or nothing of the project is imported.
    """
    names = {target.name.rpartition(":")[0], header.scenario.rpartition(":")[0]}
    names |= {base.__module__ for base in (*target.driver.__mro__, *target.model.__mro__)}
    own = {Path(name).stem if name.endswith(".py") else name for name in names if name}
    files = _project_files(root)
    for depth in range(1, DEPTH_MAX):
        prefixes = {_first(name, depth) for name in own}
        others = [name for name in files if _first(name, depth) not in prefixes]
        if any(_first(name, 1) not in TESTS and not _holds(name, own) for name in others):
            paths = {_path_of(name, files[name], depth) for name in files if name not in others}
            return tuple(sorted(paths | TESTS | {"conftest.py"}))
    return ()


def _first(name: str, depth: int) -> str:
    return ".".join(name.split(".")[:depth])


def _holds(name: str, own: set[str]) -> bool:
    """Return whether a module is a package that one of these is in."""
    return any(each.startswith(f"{name}.") for each in own)


def _project_files(root: Path) -> dict[str, Path]:
    """Return the paths below `root` of the modules that are loaded from there, by name."""
    found = {}
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name.partition(".")[0] in (OURS, "__main__") or not file:
            continue
        path = Path(file).resolve()
        if path.is_relative_to(root) and not _is_installed(root, path.relative_to(root)):
            found[name] = path.relative_to(root)
    return found


def _path_of(name: str, file: Path, depth: int) -> str:
    """Return the folder of the package that a module is in, `depth` names deep, or its file."""
    parts = name.split(".")
    is_package = file.name == "__init__.py"
    above = len(parts) - depth - (not is_package)
    if above < 0:
        return file.as_posix()
    folder = file.parent if above == 0 else file.parent.parents[above - 1]
    return folder.as_posix()
