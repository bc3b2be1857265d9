"""A descriptor of the harness's own, out of the way of systems that close what is not theirs."""

from __future__ import annotations

import fcntl
import os
import resource

FREE = 64  # numbers that are left above it, of those that a process may have


def out_of_the_way(descriptor: int) -> int:
    """Move a descriptor to a high number, which no child process inherits, and return that.

    Systems that close descriptors by number begin below, and what they open gets the lowest.
    """
    most = min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 1 << 16)
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, max(3, most - FREE))
    os.close(descriptor)
    return moved
