"""A leak: something that grows from cycle to cycle and never stops; its name, class and text."""

from __future__ import annotations

from asyncio import Handle
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import _lru_cache_wrapper, partial
from itertools import islice
from types import BuiltinFunctionType, FunctionType, MethodType

from ..failure import Disagreement, Failure, Property, Signature
from ..history import Step, count, history_lines, labelled
from .reach import LENGTH, Path, Reach

OF = "leak"  # what a disagreement about a leak is of
_CALLABLE = (FunctionType, MethodType, BuiltinFunctionType, partial)
_HOLDERS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (dict, "dict entry"),
    (list, "list item"),
    ((set, frozenset), "set member"),
    (deque, "deque item"),
    (tuple, "tuple item"),
    (bytearray, "byte"),
    (_lru_cache_wrapper, "cache entry"),
)
_ONE = {
    "threads": "thread",
    "file descriptors": "file descriptor",
    "child processes": "child process",
    "asynchronous generators": "asynchronous generator",
    "resource warnings": "ResourceWarning",
}


@dataclass(frozen=True, slots=True)
class Leak:
    """What grows, where, how fast, and for how long it was watched.

    `leak_class` says what grows, as in "dict entry" or "thread". `rate` is entries per cycle, `now`
    how many there are. `at_most` is a declared bound that was passed, by the live system where
    `cycles` is 0; None where none was.
    """

    path: Path
    leak_class: str
    rate: float
    now: int
    cycles: int
    operations: int
    at_most: int | None = None

    @property
    def per_operation(self) -> float:
        """Entries per operation, those of the teardown included."""
        return self.rate / self.operations

    def __str__(self) -> str:
        if self.at_most is not None:
            return f"holds {self.now:,}; its declared bound is {self.at_most:,}"
        # How many threads a process has is not this run's alone.
        now = f"; {self.now:,} now" if self.path[0].kind else ""
        return (
            f"+{self.rate:.2f} {self.leak_class} per cycle "
            f"({self.per_operation:+.2f} per operation), linear over {self.cycles:,} cycles{now}"
        )


class LeakFailure(Failure):
    """A run after which something is not given back; `expected` of it are leaks seen beside it."""

    __slots__ = ()

    @property
    def is_after_run(self) -> bool:
        return True

    def chain(self) -> list[tuple[str, str]]:
        return [(link.label, link.kind) for link in leak_of(self).path.holder]

    def lines(self, *, full: bool = False) -> list[str]:
        """Return what is not given back, who holds it, and the run that each cycle repeats."""
        leak, also = leak_of(self), self.disagreement.expected
        others = also if isinstance(also, (list, tuple)) else ()
        how = "is not given back" if leak.cycles else "holds more than it may"
        torn_down = ", then torn down, as each cycle" if leak.cycles else ""
        return [
            f"{self.signature.property}: {leak.path.name} {how}",
            *labelled("leak:", str(leak)),
            *labelled("held by:", str(leak.path.holder)),
            *(f"  also:    {other.path.name}, +{other.rate:.2f} per cycle" for other in others),
            *self.under(),
            f"  history, {count(len(self.steps), 'step')}{torn_down}:",
            *history_lines(self.steps, arrow=False, full=full),
        ]


def leak_failure(
    leak: Leak, steps: Sequence[Step], also: Sequence[Leak], settings: Mapping[str, object]
) -> Failure:
    """Return the leak as a failure of the run that leaks; `also` are others, seen beside it."""
    signature = Signature(Property.MEMORY, leak.path.name)
    return LeakFailure(signature, Disagreement(OF, also, leak), tuple(steps), settings)


def is_leak(failure: Failure) -> bool:
    return isinstance(failure, LeakFailure)


def leak_of(failure: Failure) -> Leak:
    """Return the leak that a failure is of; raises TypeError where it is of none."""
    found = failure.disagreement.actual
    if not isinstance(found, Leak):
        raise TypeError(f"{failure.signature} is no leak; ask is_leak() first")
    return found


def chain_lines(path: Path) -> list[str]:
    """Return a path as a tree of one branch, from the root down."""
    first, *rest = path.holder
    lines = [f"{first.label}: {first.kind}" if first.kind else first.label]
    lines += [f"{'   ' * depth}`- {link}" for depth, link in enumerate(rest)]
    return lines


def class_of(path: Path, reach: Reach) -> str:
    """Return the class of what grows on a path, looking at what a container took last."""
    last = path[-1]
    if len(path) == 1:
        return _ONE.get(last.label, f"{last.label.partition(' ')[2]} held elsewhere")
    if last.label in ("task", "timer"):
        return _task_kind(last.label, reach.objects(path))
    if last.label != LENGTH:
        return last.kind
    containers = reach.objects(path)
    return _container_kind(containers[-1]) if containers else path.holder[-1].kind


def _task_kind(label: str, found: list[object]) -> str:
    waits = any(isinstance(each, Handle) for each in found)
    return "timer" if label == "timer" or waits else "task"


def _container_kind(container: object) -> str:
    word = next((word for base, word in _HOLDERS if isinstance(container, base)), "entry")
    of = _of(_latest(container))
    return f"{word} ({of})" if of else word


def members(container: object) -> list[object]:
    """Return what a container holds: of a dict its values, and where these are None its keys."""
    if isinstance(container, dict):
        return [key if value is None else value for key, value in container.items()]
    return list(container) if isinstance(container, Iterable) else []


def _latest(container: object) -> object:
    """Return what a container took last, where it has an order."""
    if isinstance(container, (set, frozenset)):
        kinds = {type(item).__name__: item for item in islice(container, 100)}
        return kinds[min(kinds)] if kinds else None
    held = members(container)
    return held[-1] if held else None


def _of(value: object) -> str:
    if isinstance(value, _CALLABLE):
        return "callback"
    return "None" if value is None else type(value).__name__
