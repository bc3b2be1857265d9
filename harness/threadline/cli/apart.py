"""The command again, in a process of its own: what a system does to that one does not end this."""

from __future__ import annotations

import codecs
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import click

from ..campaign.isolate import HANG_S
from ..campaign.worker import SLOW_S, START_S

POLL_S = 0.1
ENDING_S = 2.0  # what a process has to end, once it has said that it does
OVERTIME_S = 1.0
BLOCK = 1 << 16
ENDED = "ended with "
BROKEN = 3  # as the exit status of what threadline itself has broken


@dataclass(slots=True)
class Apart:
    """How such a process ended; `hung_s` is after how long it was ended in a step.

    It `is_whole` where it said with which status it ends, and `is_late` where its time was over.
    """

    status: int = 0
    is_whole: bool = False
    is_late: bool = False
    hung_s: float = 0.0


@contextmanager
def coming_to_an_end(running: Path) -> Iterator[list[int]]:
    """Say at the end of the block with which status this process ends; yield where to put it."""
    status = [BROKEN]
    try:
        yield status
    finally:
        running.write_text(f"{ENDED}{status[0]}", "ascii")


def run_apart(words: Sequence[str], running: Path, seconds: float | None) -> Apart:
    """Run the command with these words, and print what it prints.

    It keeps the trace of its run in `running`, and says there how it ends. It is ended when a step
    takes too long, and shortly after `seconds`, which count from when its driver is loaded.
    """
    held, kept = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "threadline", *words, "--here", str(running), "--leash", str(held)],
        stdout=subprocess.PIPE,
        pass_fds=[held],
        start_new_session=True,
    )
    os.close(held)
    ended = Apart()
    try:
        _follow(process, _Watch(running, seconds), ended)
    finally:
        with suppress(OSError):  # its children, too
            os.killpg(process.pid, signal.SIGKILL)
        ended.status = process.wait()
        os.close(kept)
        if process.stdout is not None:
            process.stdout.close()
    if (said := _said(running)) is not None:
        ended.is_whole, ended.status = True, said
    return ended


def _said(running: Path) -> int | None:
    """Return the status that a process has said it ends with, if it has come so far."""
    with suppress(OSError, ValueError), running.open("r", encoding="ascii") as file:
        text = file.read(len(ENDED) + 3)
        return int(text.removeprefix(ENDED)) if text.startswith(ENDED) else None
    return None


def _follow(process: subprocess.Popen[bytes], watch: _Watch, ended: Apart) -> None:
    assert process.stdout is not None
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if selector.select(POLL_S):
                block = os.read(process.stdout.fileno(), BLOCK)
                click.echo(decoder.decode(block), nl=False)
                if not block:
                    selector.unregister(process.stdout)
            elif process.poll() is not None or watch.is_to_end(ended):
                return


@dataclass(slots=True)
class _Watch:
    """What is seen of a process in the file of its run."""

    running: Path
    seconds: float | None
    seen: tuple[int, int] | None = None
    began_s: float | None = None
    is_whole: bool = False
    since_s: float = field(default_factory=time.monotonic)

    def is_to_end(self, ended: Apart) -> bool:
        """Return whether the process has had its time, as a whole or for a step; notes which."""
        now_s, growth = time.monotonic(), None
        with suppress(OSError):
            status = self.running.stat()
            growth = status.st_size, status.st_mtime_ns
        if growth != self.seen:
            self.seen, self.since_s = growth, now_s
            self.began_s = self.began_s or now_s
            self.is_whole = _said(self.running) is not None
        if self.seconds and self.began_s and now_s > self.began_s + self.seconds + OVERTIME_S:
            ended.is_late = True
        elif now_s - self.since_s > self._limit_s():
            ended.hung_s = self._limit_s()
        return ended.is_late or ended.hung_s > 0

    def _limit_s(self) -> float:
        if self.is_whole:
            return ENDING_S
        if self.began_s is None:
            return START_S
        return HANG_S if self.seconds else SLOW_S
