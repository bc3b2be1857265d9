"""What a trace may load: it may come from anybody, and must not choose what code is run.

A trace names a driver and a scenario. They are loaded if the project lists them, if a file below
the current folder has a class of that name, or if they are threadline's own. This is decided before
anything is imported; nothing else is imported.
"""

from __future__ import annotations

import importlib
import sys
import sysconfig
from importlib.machinery import ModuleSpec, PathFinder
from keyword import iskeyword
from os.path import isdir, isfile, lexists  # which raise for no name
from pathlib import Path
from types import ModuleType
from typing import Any

from .defaults import Defaults, read_defaults
from .driver import Driver
from .json_lines import BadTrace
from .loading import BadName, Target, load, load_scenario, load_target, look_here, module_of
from .model import Model
from .printable import quoted
from .scenario import Scenario
from .trace import Header

OURS = Path(__file__).resolve().parent
INSTALLED = frozenset({"site-packages", "dist-packages"})
NOT_OWN = [
    *(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "purelib", "platlib")),
    *map(Path, ("/proc", "/dev", "/sys")),
]


def target_of(trace: str, header: Header) -> Target:
    """Return the driver that a trace names; `trace` is its file, for BadTrace where it may not.

    Raises BadName for a driver that may be loaded and is none.
    """
    name, defaults = header.driver, read_defaults()
    if not _is_listed(name, defaults) and _own_class(name, (Driver,)) is None:
        raise BadTrace(
            f"{trace} names the driver {quoted(name)}, which this project does not list, and "
            "which is no class derived from Driver in a file below this folder; "
            "give --driver MODULE:NAME"
        )
    try:
        return load_target(name)
    except BadName:  # a function that needs settings, and gets those of the trace unseen only then
        return load_target(name, header.settings)


def scenario_of(header: Header, target: Target) -> type[Scenario[Any]]:
    """Return the scenario that a trace names; raises BadName where it may not, or is none."""
    name = header.scenario
    is_known = name in read_defaults().scenarios or _is_beside(name, target)
    if not is_known and _own_class(name, (Scenario, Model)) is None:
        raise BadName(
            f"the scenario {quoted(name)} is not listed by this project, and is no class "
            "derived from Scenario or Model in a file below this folder"
        )
    return load_scenario(name)


def driver_to_give(target: Target) -> str:
    """Return the driver that a replay has to be given; "" where a trace that names it leads there.

    Nothing is loaded for that but what the project lists.
    """
    is_own = isinstance(target.make, type) and _own_file(target.name.rpartition(":")[0])
    try:
        return "" if is_own or _is_listed(target.name, read_defaults()) else target.name
    except (OSError, ValueError):  # what the project lists cannot be read: no reason to tell less
        return target.name


def _is_listed(name: str, defaults: Defaults) -> bool:
    """Return whether the project lists a driver, or a group of mutants that it is one of."""
    if name in defaults.every_driver():
        return True
    module = name.rpartition(":")[0]
    groups = [load(group) for group in defaults.mutants if group.rpartition(":")[0] == module]
    try:
        found = load(name) if groups else None  # its file is listed, and loaded by now
    except BadName:
        return False
    return any(found is mutant for group in groups if isinstance(group, tuple) for mutant in group)


def _is_beside(name: str, target: Target) -> bool:
    """Return whether a scenario stands in the file of a driver or its model: loaded already."""
    module, _, attribute = name.rpartition(":")
    if module not in (target.driver.__module__, target.model.__module__):
        return False
    found = vars(sys.modules[module]).get(attribute)
    return isinstance(found, type) and issubclass(found, (Scenario, Model))


def _own_class(name: str, bases: tuple[type, ...]) -> type | None:
    """Return the class of that name in a file of the user's own, or of ours; None for all else.

    Nothing but such a file is imported. Raises BadName where importing it goes wrong.
    """
    module_name, _, attribute = name.rpartition(":")
    file = _own_file(module_name)
    if file is None or not _is_plain(attribute):
        return None
    look_here()
    if not module_name.endswith(".py"):
        module = _own_module(name, module_name, file)
    elif _is_at(sys.modules.get(file.stem), file):
        module = module_of(name, module_name)
    else:
        return None
    found = None if module is None else vars(module).get(attribute)
    return found if isinstance(found, type) and issubclass(found, bases) else None


def _own_file(module_name: str) -> Path | None:
    """Return the file that a module's name or path means, if it is the user's own, or ours.

    Looked up by hand, as asking the import system for `a.b` imports `a`.
    """
    here = Path.cwd()
    if module_name.endswith(".py"):
        path = Path(module_name)
        is_inside = not path.is_absolute() and ".." not in path.parts
        is_plain = _is_plain(path.stem) and path.stem not in sys.stdlib_module_names
        return path.resolve() if is_inside and is_plain and _is_own(path, here) else None
    parts = module_name.split(".")
    if not all(map(_is_plain, parts)):
        return None
    if parts[0] == OURS.name:
        return _walked(OURS.parent, parts, OURS)
    roots = [here, *(Path(entry) for entry in sys.path if entry and _is_own(Path(entry), here))]
    return next((file for root in roots if (file := _walked(root, parts, here))), None)


def _walked(root: Path, parts: list[str], area: Path) -> Path | None:
    """Return the file of a module below a root, all of whose packages are in `area` as well."""
    folder = root
    for part in parts[:-1]:
        folder /= part
        begins = folder / "__init__.py"
        if not isdir(folder) or (lexists(begins) and not _is_own(begins, area)):
            return None
    package = folder / parts[-1] / "__init__.py"
    file = package if isfile(package) else folder / f"{parts[-1]}.py"
    return file.resolve() if isfile(file) and _is_own(file, area) else None


def _is_own(path: Path, area: Path) -> bool:
    """Return whether a path leads to below `area`, by symbolic links too, and not to what others
    wrote: packages installed there, hidden folders, the standard library.
    """
    try:
        real = path.resolve(strict=True)
        if not real.is_relative_to(area) or (
            area != OURS and any(map(real.is_relative_to, NOT_OWN))
        ):
            return False
    except (OSError, RuntimeError, ValueError):  # not there, links in a circle, NUL
        return False
    inner = real.relative_to(area)
    if any(part.startswith(".") or part in INSTALLED for part in inner.parts):
        return False
    return not any((area / folder / "pyvenv.cfg").exists() for folder in [*inner.parents][:-1])


def _own_module(name: str, module_name: str, file: Path) -> ModuleType | None:
    """Import a module, each of its packages first, if each is found where the user's own are."""
    if module_name.partition(".")[0] == OURS.name:
        return module_of(name, module_name)
    importlib.invalidate_caches()
    parts = module_name.split(".")
    for end in range(1, len(parts) + 1):
        whole = ".".join(parts[:end])
        spec = _spec_of(whole)
        if spec is None or not any(_is_own(place, Path.cwd()) for place in _places(spec)):
            return None
        if end == len(parts) and [place.resolve() for place in _places(spec)] != [file]:
            return None
        module_of(name, whole)
    return sys.modules[module_name]


def _spec_of(whole: str) -> ModuleSpec | None:
    """Return what an import of a module would find, whose package is imported already."""
    if whole in sys.modules:
        return sys.modules[whole].__spec__
    package = whole.rpartition(".")[0]
    if not package:
        return PathFinder.find_spec(whole)
    return PathFinder.find_spec(whole, getattr(sys.modules[package], "__path__", []))


def _places(spec: ModuleSpec) -> list[Path]:
    """Return the file that an import would run, or of a folder without one where it looks first."""
    return [
        Path(place) for place in (spec.origin, *(spec.submodule_search_locations or ())) if place
    ][:1]


def _is_at(module: ModuleType | None, file: Path) -> bool:
    """Return whether a module is not loaded yet, or was loaded from this file."""
    return module is None or Path(getattr(module, "__file__", None) or "").resolve() == file


def _is_plain(name: str) -> bool:
    return name.isidentifier() and not iskeyword(name) and not name.startswith("__")
