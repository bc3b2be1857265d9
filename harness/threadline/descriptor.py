"""A descriptor of the harness's own, out of the way of systems that close what is not theirs."""

from __future__ import annotations

import fcntl
import os
import resource
from contextlib import suppress

# Numbers below the highest that a process may have, another for each use: one that was closed by
# the system must not become the other.
CHANNEL, RECORDER, LEASH = 64, 32, 16
LOST = 71  # EX_OSERR of sysexits.h: how a worker ends whose descriptor the system has closed


def leash(descriptor: int) -> None:
    """End this process and its group when the other end of a pipe is closed: its holder is gone.

    So not even a hanging step outlives its campaign, except on a system without that signal.
    """
    with suppress(OSError):
        fcntl.fcntl(descriptor, fcntl.F_SETOWN, -os.getpgrp())
        flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
        fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_ASYNC)
    out_of_the_way(descriptor, LEASH)


def out_of_the_way(descriptor: int, below: int) -> int:
    """Move a descriptor to a high number that no child process inherits, and return that number.

    Systems that close descriptors by number begin below it, and what they open gets the lowest.
    """
    most = min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 1 << 16)
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, max(3, most - below))
    os.close(descriptor)
    return moved
