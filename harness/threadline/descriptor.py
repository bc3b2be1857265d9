"""A descriptor of the harness's own, out of the way of systems that close what is not theirs."""

from __future__ import annotations

import fcntl
import os
import resource

# Numbers below the highest that a process may have, another for each use: one that was closed by
# the system must not become the other.
CHANNEL, RECORDER = 64, 32
LOST = 71  # EX_OSERR of sysexits.h: how a worker ends whose descriptor the system has closed


def out_of_the_way(descriptor: int, below: int) -> int:
    """Move a descriptor to a high number, which no child process inherits, and return that.

    Systems that close descriptors by number begin below, and what they open gets the lowest.
    """
    most = min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 1 << 16)
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, max(3, most - below))
    os.close(descriptor)
    return moved
