"""Virtual time for systems that take no clock: their `time` and `datetime` are replaced."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Sequence
from types import BuiltinFunctionType, ModuleType
from typing import Any, NamedTuple

from .clock import VirtualClock


def give(
    modules: Sequence[ModuleType], clock: VirtualClock, sleep: Callable[[float], object]
) -> None:
    """Replace, in each module's namespace, whatever name there leads to the time of day.

    Under any alias: the modules `time` and `datetime`, the functions of `time`, the classes
    `datetime.datetime` and `datetime.date`. `time.sleep` calls sleep; every monotonic clock and
    perf_counter counts from where `time.time` does. What `now` and `today` return are plain
    datetimes and dates. A module to which this was done before is restored first.

    Only names at the top of a named module are seen. Real time stays where something else holds
    it: a default (`def f(now=time.time)`, `field(default_factory=time.time)`), a partial, a
    container, an import inside a function, a class derived from datetime, a module that is not
    named, a submodule too. `time.clock_gettime` and the clocks of CPU time stay as they are.
    `type(x) is datetime` is never true in a named module; write `isinstance(x, datetime)`.

    Raises TypeError for what is no module, and ValueError for `time` and `datetime` themselves.
    """
    _check(modules)
    _restore(modules)
    stand_ins = _StandIns(clock, sleep)
    for module in modules:
        names = vars(module)
        for name, own in list(names.items()):
            lent = stand_ins.find(own)
            if lent is not own:
                _lent.append(_Lent(module, name, own, lent))
                names[name] = lent


def take_back() -> None:
    """Restore every namespace that give has changed, but for names that were rebound since."""
    _restore([entry.module for entry in _lent])


class _Lent(NamedTuple):
    """One name in one namespace: its own value, and the value that replaces it."""

    module: ModuleType
    name: str
    own: object
    lent: object


# Of the process, because namespaces are: a driver whose constructor raised is no more, and what
# it gave is still there.
_lent: list[_Lent] = []


def _restore(modules: Sequence[ModuleType]) -> None:
    which = {id(module) for module in modules}
    for entry in _lent:
        names = vars(entry.module)
        if id(entry.module) in which and names.get(entry.name) is entry.lent:
            names[entry.name] = entry.own
    _lent[:] = [entry for entry in _lent if id(entry.module) not in which]


def _check(modules: Sequence[ModuleType]) -> None:
    if isinstance(modules, (ModuleType, str)):
        raise TypeError(f"clocked is a tuple of modules, got {_written(modules)}")
    for module in modules:
        if not isinstance(module, ModuleType):
            raise TypeError(f"clocked holds modules, got {_written(module)}")
        if module in (time, datetime):
            raise ValueError(
                f"clocked holds the modules that read the time, got {module.__name__} itself, "
                "which the whole process reads; write clocked = (my_app.cache,)"
            )


def _written(given: object) -> str:
    """Return the value that was given, and the value to write instead."""
    if isinstance(given, str):
        return f"the text {given!r}; import {given} and write clocked = ({given},)"
    if isinstance(given, ModuleType):
        return f"the module {given.__name__}; write clocked = ({given.__name__},)"
    home = getattr(given, "__module__", None) or "my_app.cache"
    name = getattr(given, "__name__", "an object")
    return f"{name}, of type {type(given).__name__}; write clocked = ({home},)"


class _StandIns:
    """The values that replace others, for one clock."""

    def __init__(self, clock: VirtualClock, sleep: Callable[[float], object]) -> None:
        virtual_datetime, virtual_date = _virtual_datetime(clock), _virtual_date(clock)
        classes = {"datetime": virtual_datetime, "date": virtual_date}
        self._lent_for: dict[int, object] = {
            id(time): _stand_in(time, _virtual_time(clock, sleep)),
            id(datetime): _stand_in(datetime, classes),
            id(datetime.datetime): virtual_datetime,
            id(datetime.date): virtual_date,
        }

    def find(self, own: object) -> object:
        """Return what stands for a value, or the value itself."""
        # By type, not isinstance: a lazy object would be woken by the question for its class.
        if type(own) is BuiltinFunctionType:  # as time.time and datetime.now, imported alone
            home = self._lent_for.get(id(own.__self__))
            return own if home is None else getattr(home, own.__name__)
        return self._lent_for.get(id(own), own)


def _stand_in(real: ModuleType, virtual: dict[str, Any]) -> ModuleType:
    """Return a module that has the virtual names, and is the real one in all others."""
    stand_in = ModuleType(real.__name__, real.__doc__)
    vars(stand_in).update(virtual, __getattr__=lambda name: getattr(real, name))
    return stand_in


def _virtual_time(clock: VirtualClock, sleep: Callable[[float], object]) -> dict[str, Any]:
    def now_ns() -> int:
        return round(clock.now() * 1e9)

    def now_unless_given(convert: Callable[[float], Any]) -> Callable[..., Any]:
        return lambda seconds=None, /: convert(clock.now() if seconds is None else seconds)

    def local_time() -> time.struct_time:
        return time.localtime(clock.now())

    def sleep_virtually(seconds: float, /) -> None:
        sleep(seconds)

    return {
        **dict.fromkeys(("time", "monotonic", "perf_counter"), clock.now),
        **dict.fromkeys(("time_ns", "monotonic_ns", "perf_counter_ns"), now_ns),
        "sleep": sleep_virtually,
        "gmtime": now_unless_given(time.gmtime),
        "localtime": now_unless_given(time.localtime),
        "ctime": now_unless_given(time.ctime),
        "asctime": lambda *when: time.asctime(*(when or (local_time(),))),
        "strftime": lambda form, *when: time.strftime(form, *(when or (local_time(),))),
    }


class _StandsForBase(type):
    """The type of a class that stands for its base: it makes the base's, and knows them as its."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return cls.__bases__[0](*args, **kwargs)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.__bases__[0])

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, cls.__bases__[0])

    def __get_pydantic_core_schema__(cls, _: object, handler: Callable[[type], Any]) -> Any:
        """Make pydantic, which knows datetime by its identity, read the class as its base."""
        return handler(cls.__bases__[0])


def _virtual_datetime(clock: VirtualClock) -> type[datetime.datetime]:
    real = datetime.datetime

    class VirtualDatetime(real, metaclass=_StandsForBase):  # type: ignore[misc, valid-type]
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
            return real.fromtimestamp(clock.now(), tz)

        @classmethod
        def today(cls) -> datetime.datetime:
            return real.fromtimestamp(clock.now())

        @classmethod
        def utcnow(cls) -> datetime.datetime:
            return real.fromtimestamp(clock.now(), datetime.UTC).replace(tzinfo=None)

    return VirtualDatetime


def _virtual_date(clock: VirtualClock) -> type[datetime.date]:
    class VirtualDate(datetime.date, metaclass=_StandsForBase):
        @classmethod
        def today(cls) -> datetime.date:  # type: ignore[override]
            return datetime.date.fromtimestamp(clock.now())

    return VirtualDate
