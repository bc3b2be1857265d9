"""Recorders of what the system logs and warns in a run, to keep it out of the report."""

from __future__ import annotations

import logging
import warnings
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

LINES_MAX = 200  # of one run, the latest; our choice
WIDTH_MAX = 500  # characters of one line


class LogRecorder(logging.Handler):
    """The lines logged since the last take(), each as LEVEL logger: message."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: deque[str] = deque(maxlen=LINES_MAX)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except Exception as error:  # the system's mistake, which logging itself only reports too
            message = f"{record.msg!r} with {record.args!r}, which raised {error!r}"
        if record.exc_info and record.exc_info[1] is not None:
            message = f"{message} ({type(record.exc_info[1]).__name__}: {record.exc_info[1]})"
        self.add(f"{record.levelname} {record.name}: {message}")

    def add(self, line: str) -> None:
        """Keep one line, or what it begins with."""
        self._lines.append(line if len(line) <= WIDTH_MAX else f"{line[:WIDTH_MAX]} ...")

    def take(self) -> list[str]:
        """Return the lines, in order, and forget them."""
        taken = list(self._lines)
        self._lines.clear()
        return taken


@contextmanager
def logs_recorded() -> Iterator[LogRecorder]:
    """Record what reaches the root logger, in place of its own handlers, until the block ends."""
    root, logged = logging.getLogger(), LogRecorder()
    before = root.handlers[:]
    root.handlers[:] = [logged]
    try:
        yield logged
    finally:
        root.handlers[:] = before


class WarningRecorder:
    """The categories of the warnings given since the last take().

    resources: how many ResourceWarnings there were, which belong to no step. logged: what was
    logged, with the texts of the warnings.
    """

    def __init__(self, logged: LogRecorder | None = None) -> None:
        self.categories: list[str] = []
        self.resources = 0
        self.logged = logged or LogRecorder()

    def take(self) -> tuple[str, ...]:
        """Return the categories, in order, and forget them."""
        taken = tuple(self.categories)
        self.categories.clear()
        return taken

    def note(self, message: Warning | str, category: type[Warning], *_: object) -> None:
        if issubclass(category, ResourceWarning):  # comes whenever the garbage collector does
            self.resources += 1
        else:
            self.categories.append(category.__name__)
            self.logged.add(f"{category.__name__}: {message}")


@contextmanager
def warnings_recorded() -> Iterator[WarningRecorder]:
    """Record every warning, each time it is given, and what is logged, until the block ends."""
    with logs_recorded() as logged, warnings.catch_warnings():
        warned = WarningRecorder(logged)
        warnings.simplefilter("always")
        warnings.showwarning = warned.note  # type: ignore[assignment]  # takes the same, and more
        yield warned
