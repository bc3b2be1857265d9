"""What a driver is asked for beside operations: a failing history shows it, a trace does not."""

from __future__ import annotations

from typing import Any, ClassVar

from .operation import Operation


class Lifecycle(Operation):
    """A call that each run makes by itself: a replay makes it too, without a line in the trace."""

    __slots__ = ()
    names: ClassVar[tuple[str, ...]] = ()

    def apply(self, target: Any) -> Any:
        raise NotImplementedError(f"{self} is made by the run itself")


class _Start(Lifecycle):
    """The driver's start(), its constructor, or reset()."""

    __slots__ = ()
    kind: ClassVar[str] = "start"


class _Close(Lifecycle):
    """The driver's close()."""

    __slots__ = ()
    kind: ClassVar[str] = "close"


class _Hunt(Lifecycle):
    """What a leak hunt asks a driver for: its roots(), and to discard_notes()."""

    __slots__ = ()
    kind: ClassVar[str] = "leak_hunt"


START, CLOSE, HUNT = _Start(), _Close(), _Hunt()
