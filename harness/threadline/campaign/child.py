"""A child process, watched from outside: it counts as idle while its trace does not grow."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any


class Child:
    """A Python process that ends when this one does, however that ends; its children end with it.

    `words` are a module and its arguments; the descriptor of its leash is added as the last one.
    """

    def __init__(self, words: Sequence[str], **streams: Any) -> None:
        held, self._leash = os.pipe()
        # Without the current folder on its path: a json.py there is not Python's own.
        command = [sys.executable, "-P", "-m", *words, str(held)]
        self.process = subprocess.Popen(command, pass_fds=[held], start_new_session=True, **streams)
        os.close(held)

    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def wait(self, patience_s: float) -> int | None:
        """Return its exit status, or None where it has not ended within so many seconds."""
        with suppress(subprocess.TimeoutExpired):
            return self.process.wait(patience_s)
        return None

    def kill(self) -> int:
        """End the process alone, and return its exit status."""
        self.process.kill()
        return self.process.wait()

    def end(self) -> int:
        """End the process and its children, and return its exit status when it is gone."""
        with suppress(OSError):
            os.killpg(self.process.pid, signal.SIGKILL)
        status = self.kill()
        os.close(self._leash)
        return status


class FileWatch:
    """Watches the file of a run: a line is written there before each step."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._size = self._look()
        self._since_s = time.monotonic()

    def idle_s(self, *, looks: bool = True) -> float:
        """Return for how many seconds the file has not changed; with `looks`, check it first."""
        if looks and (size := self._look()) != self._size:
            self._size = size
            self.restart()
        return time.monotonic() - self._since_s

    def restart(self) -> None:
        """Count from now on: there was another sign that the process goes on."""
        self._since_s = time.monotonic()

    def _look(self) -> tuple[int, int] | None:
        with suppress(OSError):
            status = self._file.stat() if self._file is not None else None
            return (status.st_size, status.st_mtime_ns) if status else None
        return None
