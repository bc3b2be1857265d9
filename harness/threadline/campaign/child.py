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

import psutil

from ..outcome import Crashed, Outcome

MEMORY_S = 0.25  # how often memory is measured
FAMILY_S = 2.0  # and how often it is asked which children there are, which costs a look at all
MIB = 1 << 20


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


class MemoryWatch:
    """Measures the resident memory of a process and its children, and knows how much it may hold.

    What grows by more than is free within MEMORY_S is the system's own to limit.
    """

    def __init__(self, pid: int, most_mib: float | None) -> None:
        self._pid = pid
        self._most_mib = most_mib
        self._held_mib = 0.0
        self._due_s = 0.0
        self._family: list[psutil.Process] = []
        self._family_due_s = 0.0

    def look(self) -> float:
        """Measure, and return how many MiB are held; 0 where it is not time yet, or it is gone."""
        now_s = time.monotonic()
        if now_s < self._due_s:
            return 0.0
        self._due_s = now_s + MEMORY_S
        if now_s >= self._family_due_s:
            self._family_due_s = now_s + FAMILY_S
            with suppress(psutil.Error):
                process = psutil.Process(self._pid)
                self._family = [process, *process.children(recursive=True)]
        self._held_mib = sum(map(_resident, self._family)) / MIB
        return self._held_mib

    def over(self) -> Outcome | None:
        """Return the outcome of the step in which the process came to hold too much, if it did."""
        if self._most_mib is None or self._held_mib <= self._most_mib:
            return None
        held, most = f"{self._held_mib:,.0f} MiB", f"{self._most_mib:,.0f}"
        return Crashed(f"MemoryError: the process held {held}, and may hold {most}")


def _resident(process: psutil.Process) -> int:
    with suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0
