"""Loading: drivers and scenarios by their names, checked before the first run."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

from .clocked import take_back
from .driver import Driver, end
from .failure import Property
from .model import Invariant, Model
from .operation import Operation
from .pool import Pool, pool
from .scenario import Scenario, own_scenario

NEAR = 0.75  # how alike a method's name is to an operation's that it was meant to be; our choice


class BadName(ValueError):
    """A MODULE:NAME that leads to nothing of use; says what was expected."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a campaign is run against: how to make a fresh driver, and what it declares."""

    name: str
    make: Callable[..., Driver[Any]]
    driver: type[Driver[Any]]
    lacks: tuple[type[Operation], ...] = ()
    invariants: tuple[tuple[Property, Invariant], ...] | None = None  # the model's, if None
    _takes: frozenset[str] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_takes", _settings_of(self.make))  # once: it costs a run's tenth

    @property
    def model(self) -> type[Model]:
        return self.driver.model

    @property
    def policy(self) -> Any:  # Any: each model has a type of its own
        return self.driver.policy if self.driver.policy is not None else self.model.policy

    def settings(self, scenario: type[Scenario[Any]]) -> dict[str, Pool[Any]]:
        """Return the settings that a scenario draws, but for those that the driver pins."""
        fixed = {name: pool(value) for name, value in self.driver.pinned.items()}
        return {**scenario.settings, **fixed}

    def new_model(self, settings: Mapping[str, object]) -> Model:
        """Return a fresh model under these settings, with the driver's policy."""
        made: Model = new_model(self.model, settings, self.policy)
        return made

    def new_driver(self, settings: Mapping[str, object]) -> Driver[Any]:
        """Return a fresh driver under these settings; those that are pinned it need not take.

        Raises BadName for a setting that the driver has no way to take.
        """
        takes = self._takes
        if takes is None:
            return self.make(**settings)
        refused = [name for name in settings if name not in takes]
        unknown = [name for name in refused if name not in self.driver.pinned]
        if unknown:
            raise BadName(
                f"{self.name} takes no setting {unknown[0]!r}, which the scenario draws; take it "
                f"in __init__, or say what the system has: pinned = {{{unknown[0]!r}: ...}}"
            )
        return self.make(**{name: value for name, value in settings.items() if name in takes})


def new_model(
    model: type[Model], settings: Mapping[str, object] | None = None, policy: object = None
) -> Any:  # Any: a model of that type
    """Return a fresh model; raises BadName for a setting that it does not take."""
    given = settings or {}
    takes = _settings_of(model) if given else None
    for name in given if takes is not None else ():
        if name not in (takes or ()):
            raise BadName(
                f"{model.__name__} takes no setting {name!r}; take it in __init__, by that name"
            )
    made = model.__new__(model)
    if policy is not None:
        made.policy = policy
    model.__init__(made, **given)
    return made


def _settings_of(make: Callable[..., object]) -> frozenset[str] | None:
    """Return the settings that something takes by name; None if it takes any."""
    function = make.__init__ if isinstance(make, type) else make  # type: ignore[misc]
    if function is object.__init__:
        return frozenset()
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except ValueError:  # written in C
        return None
    if isinstance(make, type):
        del parameters[:1]  # self
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    unnamed = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL)
    return frozenset(each.name for each in parameters if each.kind not in unnamed)


def load(name: str) -> Any:
    """Return the object that MODULE:NAME or PATH:NAME names, the current folder on the path.

    Raises BadName, saying which half was not found.
    """
    module_name, colon, attribute = name.rpartition(":")
    if not (module_name and colon and attribute):
        raise BadName(
            f"{name!r} names no object; write MODULE:NAME, as in drivers.mine:MyDriver, "
            "or PATH:NAME, as in ./mine.py:MyDriver"
        )
    look_here()
    module = module_of(name, module_name)
    try:
        return getattr(module, attribute)
    except AttributeError:
        own = sorted(key for key, value in vars(module).items() if _is_own(module, value))
        raise BadName(f"{module_name} has no {attribute!r}; it has {', '.join(own)}") from None


def look_here() -> None:
    """Put the current folder on the path of imports."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)


def module_of(name: str, module_name: str) -> ModuleType:
    """Return the module of that name or path; raises BadName, telling of MODULE:NAME as `name`."""
    if module_name.endswith(".py"):
        return _module_at(name, Path(module_name))
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise BadName(f"{name!r}: {error}; {_advice(module_name, error)}") from error
    except Exception as error:
        raise BadName(f"{name!r} cannot be imported: {_told_where(error)}") from error


def _told_where(error: Exception) -> str:
    """Return an error in one line, with the last line of the user's own code that led to it."""
    ours = str(Path(__file__).parent)
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if not f.filename.startswith((ours, "<frozen"))]
    where = f"{own[-1].filename.rpartition('/')[2]}:{own[-1].lineno}: " if own else ""
    return f"{where}{type(error).__name__}: {error}"


def _module_at(name: str, path: Path) -> ModuleType:
    """Return the module in a file, under the name that its neighbours import it by."""
    if not path.is_file():
        raise BadName(f"{name!r}: there is no file {path}; write the path from the current folder")
    known = sys.modules.get(path.stem)
    if known is not None and Path(getattr(known, "__file__", None) or "") == path.resolve():
        return known
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(path.stem, path.resolve())
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[path.stem]
        raise BadName(f"{name!r} cannot be imported: {_told_where(error)}") from error
    return module


def load_target(name: str, settings: Mapping[str, object] | None = None) -> Target:
    """Return the driver of that name, with its declarations; raises BadName where it is none.

    A class is not instantiated for that; what a function makes is closed again.
    """
    make = load(name)
    if not callable(make):
        raise BadName(f"{name} is {make!r}, which makes no driver; name a class or a function")
    driver = make if isinstance(make, type) else getattr(make, "driver", None)
    if driver is None:
        driver = _type_made(name, make, settings or {})
    if not (isinstance(driver, type) and issubclass(driver, Driver)):
        raise BadName(f"{name} makes {driver!r}, which is no driver; derive it from Driver[MODEL]")
    if not hasattr(driver, "model"):
        raise BadName(
            f"{name} is a {driver.__name__}, which names no model; derive it from Driver[MODEL], "
            "as in class MyDriver(Driver[ConversationStore])"
        )
    _check_names(driver)
    kinds = driver.model.kinds()
    lacks = tuple(kinds[kind] for kind in kinds if not callable(getattr(driver, kind, None)))
    return Target(name, make, driver, lacks)


def _type_made(name: str, make: Callable[..., object], settings: Mapping[str, object]) -> type:
    """Return the type of what a function makes, which is given back again."""
    try:
        made = make(**settings)
    except Exception as error:
        raise BadName(
            f"{name} makes no driver: {_told_where(error)}; give its arguments defaults, or name "
            "the class of the driver"
        ) from error
    try:
        if isinstance(made, Driver):
            end(made)
    except Exception as error:
        raise BadName(
            f"{name} makes a driver that cannot be closed: {_told_where(error)}; name its class, "
            "so that none has to be made before the first run"
        ) from error
    finally:
        take_back()
    return type(made)


def _check_names(driver: type[Driver[Any]]) -> None:
    """Raise BadName for a public method that is near the name of an operation, and is none."""
    lacking = [kind for kind in driver.model.kinds() if not callable(getattr(driver, kind, None))]
    for name, value in vars(driver).items():
        if name.startswith("_") or not inspect.isfunction(value) or hasattr(Driver, name):
            continue
        near = [] if name in driver.model.kinds() else get_close_matches(name, lacking, 1, NEAR)
        if near:
            raise BadName(
                f"{driver.__name__}.{name} is no operation of {driver.model.__name__}; "
                f"did you mean {near[0]}? A method of the driver's own begins with _"
            )


def fits(scenario: type[Scenario[Any]], driver: type[Driver[Any]]) -> bool:
    """Return whether a scenario is played on a driver where nobody has named both.

    Where operations are to overlap, some of the driver's have to be asynchronous, or all run in
    threads; of those that are passed `through`, nobody knows before there is a system.
    """
    if scenario.model is not driver.model:
        return False
    if driver.through or driver.threaded or not scenario.overlap:
        return True
    calls = (getattr(driver, kind, None) for kind in driver.model.kinds())
    return any(map(inspect.iscoroutinefunction, calls))


def first_target(names: Iterable[str], scenario: type[Scenario[Any]]) -> Target | None:
    """Return the first of these drivers that a scenario fits, skipping any that cannot be loaded.

    So a driver whose extra is not installed is ignored.
    """
    for name in names:
        try:
            target = load_target(name)
        except BadName:
            continue
        if fits(scenario, target.driver):
            return target
    return None


def load_scenario(name: str) -> type[Scenario[Any]]:
    """Return the scenario of that name, or that of a model; raises BadName where it is none."""
    found = load(name)
    if isinstance(found, type) and issubclass(found, Model):
        try:
            return own_scenario(found)  # type: ignore[arg-type]  # a class is hashable
        except TypeError as error:
            raise BadName(str(error)) from error
    if not (isinstance(found, type) and issubclass(found, Scenario) and hasattr(found, "model")):
        raise BadName(
            f"{name} is {found!r}, which is no scenario; derive a class from Scenario[MODEL]"
        )
    return found


def scenarios_beside(driver: type[Driver[Any]]) -> list[str]:
    """Return the scenarios of a driver's model that stand in its own file or in the model's.

    Where there is none, it is the model itself: all operations with their own pools.
    """
    model = driver.model
    found = [
        f"{module}:{name}"
        for module in dict.fromkeys((driver.__module__, model.__module__))
        for name, scenario in _scenarios_in(module)
        if fits(scenario, driver)
    ]
    return found or [f"{model.__module__}:{model.__name__}"]


def _scenarios_in(module: str) -> Iterator[tuple[str, type[Scenario[Any]]]]:
    for name, value in vars(sys.modules[module]).items():
        is_own = isinstance(value, type) and value.__module__ == module
        if is_own and issubclass(value, Scenario) and hasattr(value, "model"):
            yield name, value


def _is_own(module: ModuleType, value: object) -> bool:
    """Return whether a module defines a value itself, and so may mean it to be named."""
    return callable(value) and getattr(value, "__module__", None) == module.__name__


def _advice(module_name: str, error: ModuleNotFoundError) -> str:
    if error.name and module_name.startswith(error.name.partition(".")[0]):
        return "run threadline in the folder that holds it"
    return "install it, or the extra that brings it"
