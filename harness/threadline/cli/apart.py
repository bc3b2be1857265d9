"""The command again, in a process of its own: what a system does to that one does not end this."""

from __future__ import annotations

import codecs
import os
import selectors
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import click

from ..campaign.child import Child, FileWatch
from ..campaign.isolate import HANG_S
from ..campaign.job import SLOW_S, START_S
from .cli_names import UNUSABLE, USER_ERRORS

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
    """Yield a list for the exit status, and write the status to `running` when the block ends."""
    status = [BROKEN]
    try:
        yield status
    except USER_ERRORS:
        status[0] = UNUSABLE
        raise
    finally:
        running.write_text(f"{ENDED}{status[0]}", "ascii")


def run_apart(words: Sequence[str], running: Path, seconds: float | None) -> Apart:
    """Run the command with these words, and print what it prints.

    It keeps the trace of its run in `running`, and says there how it ends. It is ended when a step
    takes too long, and shortly after `seconds`, which count from when its driver is loaded.
    """
    here = ("--here", str(running), "--leash")
    pipe = subprocess.PIPE
    child = Child(["threadline", *words, *here], stdout=pipe, stderr=pipe)
    ended = Apart()
    try:
        _follow(child, _Watch(running, seconds, FileWatch(running)), ended)
    finally:
        ended.status = child.end()
        for stream in (child.process.stdout, child.process.stderr):
            if stream is not None:
                stream.close()
    if (said := _said(running)) is not None:
        ended.is_whole, ended.status = True, said
    return ended


def _said(running: Path) -> int | None:
    """Return the status that a process has said it ends with, if it has come so far."""
    with suppress(OSError, ValueError), running.open("r", encoding="ascii") as file:
        text = file.read(len(ENDED) + 3)
        return int(text.removeprefix(ENDED)) if text.startswith(ENDED) else None
    return None


def _follow(child: Child, watch: _Watch, ended: Apart) -> None:
    """Print what a process prints until it has ended, or has to be."""
    with selectors.DefaultSelector() as selector:
        for stream, is_error in ((child.process.stdout, False), (child.process.stderr, True)):
            assert stream is not None
            decoder = codecs.getincrementaldecoder("utf-8")("replace")
            selector.register(stream, selectors.EVENT_READ, (decoder, is_error))
        while True:
            ready = selector.select(POLL_S) if selector.get_map() else []
            for key, _ in ready:
                block = os.read(key.fd, BLOCK)
                click.echo(key.data[0].decode(block), nl=False, err=key.data[1])
                if not block:
                    selector.unregister(key.fileobj)
            if ready:
                continue
            if not selector.get_map():
                time.sleep(POLL_S)
            if child.has_ended() or watch.is_to_end(ended):
                return


@dataclass(slots=True)
class _Watch:
    """What is seen of a process in the file of its run."""

    running: Path
    seconds: float | None
    file_watch: FileWatch
    began_s: float | None = None

    def is_to_end(self, ended: Apart) -> bool:
        """Return whether the process has had its time, as a whole or for a step; notes which."""
        idle_s, now_s = self.file_watch.idle_s(), time.monotonic()
        if self.began_s is None and self.running.exists():
            self.began_s = now_s
        if self.seconds and self.began_s and now_s > self.began_s + self.seconds + OVERTIME_S:
            ended.is_late = True
        elif idle_s > self._limit_s():
            ended.hung_s = self._limit_s()
        return ended.is_late or ended.hung_s > 0

    def _limit_s(self) -> float:
        if _said(self.running) is not None:
            return ENDING_S
        if self.began_s is None:
            return START_S
        return HANG_S if self.seconds else SLOW_S
