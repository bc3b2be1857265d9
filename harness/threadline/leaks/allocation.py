"""Where an object was made, by line; and who holds an object that no root leads to."""

from __future__ import annotations

import gc
import sys
import sysconfig
import tracemalloc
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path as File
from types import FrameType, ModuleType

from .reach import Link, Path

FRAMES = 12
DEPTH_MAX = 12
HOLDERS_MAX = 200  # looked at on one level of the way back
_OURS = File(__file__).parents[1]
_LIBRARY = tuple(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))


@contextmanager
def allocations_traced() -> Iterator[None]:
    """Remember where each object is made, while the block lasts."""
    tracemalloc.start(FRAMES)
    try:
        yield
    finally:
        tracemalloc.stop()


def allocated_at(made: object) -> str:
    """Return FILE:LINE of the system's code that made an object; "" where that is not known.

    CPython traces no memory that it uses again from a list of its own, as it does for many lists.
    """
    trace = tracemalloc.get_object_traceback(made)
    if trace is None:
        # CPython 3.11 knows no object with attributes; what its __init__ made, it does.
        own = getattr(made, "__dict__", {}).values()
        inner = (each for each in own if type(each) in (list, dict, set, deque))
        trace = next(filter(None, map(tracemalloc.get_object_traceback, inner)), None)
    for frame in reversed(trace or ()):  # the innermost comes last
        file = File(frame.filename)
        if not frame.filename.startswith(("<", *_LIBRARY)) and _OURS not in file.parents:
            return f"{_short(file)}:{frame.lineno}"
    return ""


def way_to(held: object, ignored: Sequence[object]) -> Path | None:
    """Return the shortest path from a module to an object that it holds, or None.

    Looks at every object that the collector knows, once a level; unfreeze them first.
    """
    spaces = {id(vars(module)): module for module in _modules()}
    skipped = {id(each) for each in (*ignored, ignored)}
    level: list[tuple[object, Path]] = [(held, Path())]
    seen = {id(held)}
    for _ in range(DEPTH_MAX):
        following: list[tuple[object, Path]] = []
        for inner, path in level:
            for holder in gc.get_referrers(inner):
                if id(holder) in seen or id(holder) in skipped or _is_passing(holder, level):
                    continue
                seen.add(id(holder))
                link = Link(_edge(holder, inner), type(inner).__name__)
                way = Path((link, *path))
                if id(holder) in spaces:
                    return Path((Link(spaces[id(holder)].__name__, "module"), *way))
                following.append((holder, way))
        level = following[:HOLDERS_MAX]
    return None


def _modules() -> list[ModuleType]:
    return [module for module in list(sys.modules.values()) if isinstance(module, ModuleType)]


def _is_passing(holder: object, level: object) -> bool:
    """Return whether something holds an object only because it is being looked at."""
    if isinstance(holder, FrameType) or holder is level:
        return True
    return isinstance(holder, tuple) and len(holder) == 2 and isinstance(holder[1], Path)


def _edge(holder: object, inner: object) -> str:
    if isinstance(holder, dict):
        name = next((key for key, value in holder.items() if value is inner), None)
        return f".{name}" if isinstance(name, str) and name.isidentifier() else "[*]"
    return "[*]" if isinstance(holder, (list, set, tuple, frozenset)) else "held"


def _short(file: File) -> str:
    here = File.cwd()
    return str(file.relative_to(here)) if here in file.parents else str(file)
