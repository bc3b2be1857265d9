"""What the system logs and warns in a run: kept for who asks, and not printed over the report."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

LINES_MAX = 200  # of one run, the latest; our choice
WIDTH_MAX = 500  # characters of one line


class Logged(logging.Handler):
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
def logs_recorded() -> Iterator[Logged]:
    """Record what reaches the root logger, in place of its own handlers, until the block ends."""
    root, logged = logging.getLogger(), Logged()
    before = root.handlers[:]
    root.handlers[:] = [logged]
    try:
        yield logged
    finally:
        root.handlers[:] = before
