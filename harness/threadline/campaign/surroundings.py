"""What all runs of a process share, and a system may change: put back when its run is over."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGPIPE, signal.SIGCHLD)


def surroundings() -> Callable[[], None]:
    """Return what puts back the working folder, the recursion limit and the handlers of signals.

    Must be called, and what it returns too, on the main thread.
    """
    folder = os.getcwd()
    limit = sys.getrecursionlimit()
    handlers = [(number, signal.getsignal(number)) for number in SIGNALS]

    def put_back() -> None:
        with suppress(OSError):
            os.chdir(folder)
        if sys.getrecursionlimit() != limit:
            sys.setrecursionlimit(limit)
        for number, handler in handlers:
            if signal.getsignal(number) is not handler and handler is not None:
                signal.signal(number, handler)
        signal.setitimer(signal.ITIMER_REAL, 0)

    return put_back
