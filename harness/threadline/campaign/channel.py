"""The channel by which a worker is told its job and tells what happens: a socket, one line each."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from ..descriptor import out_of_the_way
from .events import Message, decode, encode

LOST = 71  # EX_OSERR of sysexits.h: the worker's end was closed; our choice
BLOCK = 1 << 16


class Channel:
    """The worker's end, which is standard input until it is moved out of the system's way.

    Forks do not use it: one that the system has made, and that comes back to tell something, ends.
    """

    def __init__(self) -> None:
        self.job = _line(0)
        self._descriptor = out_of_the_way(os.dup(0))
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        os.dup2(2, 1)  # so that what the system prints cannot be taken for an event
        os.close(nothing)
        self._owner = os.getpid()

    def tell(self, message: Message) -> None:
        """Tell a message; ends the process where nobody can hear it."""
        if os.getpid() != self._owner:
            os._exit(0)
        rest = memoryview(
            b"\n" + encode(message)
        )  # on a line of its own, whatever else was written
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:
            os._exit(LOST)


def _line(descriptor: int) -> bytes:
    read = b""
    while not read.endswith(b"\n") and (block := os.read(descriptor, BLOCK)):
        read += block
    return read


@dataclass(slots=True)
class Line:
    """The campaign's end. `fault` is what the system has done to the channel, if it has."""

    process: subprocess.Popen[bytes]
    socket: socket.socket
    fault: str = ""
    closed: bool = False
    rest: bytes = b""  # the beginning of a line

    def messages(self) -> Iterator[Message]:
        """Yield what can be read without waiting."""
        while not self.closed:
            try:
                block = self.socket.recv(BLOCK, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except ConnectionError:
                block = b""
            self.closed = not block
            *lines, self.rest = (self.rest + block).split(b"\n")
            for line in filter(None, lines):
                try:
                    yield decode(line)
                except ValueError:
                    self.fault = "it wrote to a descriptor that is not its own"

    def stop(self, patience_s: float = 0.0) -> None:
        """Wait so long for the process to end, then end it."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(patience_s)
        if self.closed and self.process.returncode in (None, LOST):
            self.fault = "it closed a descriptor that is not its own"
        self.process.kill()
        self.process.wait()

    def hang_up(self) -> None:
        """End the process and its children, and wait until it is gone."""
        with suppress(OSError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        self.socket.close()


def start_worker(job: bytes) -> Line:
    """Start a process for a job; it leads a group of its own, so that its children end with it."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "threadline.campaign.worker"],
            stdin=theirs.fileno(),
            start_new_session=True,
        )
    with suppress(OSError):  # it has ended already
        ours.sendall(job + b"\n")
    return Line(process, ours)
