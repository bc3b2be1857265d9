"""The channel on which a worker receives its job and sends messages: a socket, one line each."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from ..descriptor import CHANNEL, LOST, leash, out_of_the_way
from .child import Child
from .events import Message, decode, encode

BLOCK = 1 << 16
SEND_S = 30.0  # in which a process takes what it is sent, on however busy a machine


class Channel:
    """The worker's end: standard input, moved to another descriptor, out of the system's way.

    Only the worker itself uses it: a fork that the system made, and that tries to send, is ended.
    """

    def __init__(self) -> None:
        leash(int(sys.argv[1]))
        self._job = _line(0)
        self._descriptor = out_of_the_way(os.dup(0), CHANNEL)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        os.dup2(2, 1)  # so that what the system prints cannot be taken for an event
        os.close(nothing)
        self._owner = os.getpid()

    def jobs(self) -> Iterator[bytes]:
        """Yield the job that has come, then each that comes behind it, until nobody sends any."""
        job = self._job
        while job.endswith(b"\n"):
            yield job
            job = _line(self._descriptor)

    def tell(self, message: Message) -> None:
        """Send a message to the campaign; end this process if the campaign is gone."""
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
    read = bytearray()
    with suppress(OSError):  # closed by the system
        while not read.endswith(b"\n") and (block := os.read(descriptor, BLOCK)):
            read += block
    return bytes(read)


@dataclass(slots=True)
class Line:
    """The campaign's end. Whatever else a system writes to the socket is skipped."""

    child: Child
    socket: socket.socket
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
                with suppress(ValueError):
                    yield decode(line)

    def send(self, job: bytes) -> bool:
        """Send a job; return whether the process has taken it."""
        self.socket.settimeout(SEND_S)
        try:
            self.socket.sendall(job + b"\n")
        except OSError:  # it has ended, or takes nothing
            return False
        finally:
            self.socket.settimeout(None)
        return True

    def stop(self, patience_s: float = 0.0) -> int:
        """Wait so long for the process to end, then end it; return its status.

        That is LOST, too, where it would have gone on without its end of the channel.
        """
        status = self.child.wait(patience_s)
        if status is not None:
            return status
        status = self.child.kill()
        return LOST if self.closed else status

    def hang_up(self) -> None:
        """End the process and its children, and wait until it is gone."""
        self.child.end()
        self.socket.close()


def start_worker(job: bytes) -> Line:
    """Start a process for a job."""
    ours, theirs = socket.socketpair()
    with theirs:
        child = Child(["threadline.campaign.worker"], stdin=theirs.fileno())
    line = Line(child, ours)
    line.send(job)
    return line
