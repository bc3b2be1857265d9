"""A worker: the process in which one scenario is run; it receives a job, and sends events."""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from ..driver import DriverError
from ..leaks.cycles import TimeOver
from ..leaks.round_trip import RoundTrips
from ..loading import BadName, load_scenario, load_target
from ..lockstep.outcomes import crashed, is_the_systems
from ..lockstep.recorders import warnings_recorded
from ..lockstep.run import Runs
from ..trace import Recorder
from .channel import Channel
from .events import Broke, Message, Raised, Ready, Recorded
from .isolate import shorten
from .job import Job, header_of
from .search import Search

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGPIPE, signal.SIGCHLD)


def work(job: Job, tell: Callable[[Message], None]) -> None:
    """Do a job in this process, and pass each message to `tell`.

    Raises BadName where its names lead nowhere, and whatever a bug of the model or the scenario
    raises.
    """
    target = load_target(job.driver)
    scenario = load_scenario(job.scenario)
    job = job.overlapping(scenario)

    def tell_line(line: bytes) -> None:
        tell(Recorded(line.decode("ascii")))

    with (
        warnings_recorded() as warned,
        closing(Recorder(job.running(), tell_line)) as recorder,
    ):
        trips = RoundTrips(job.round_trip_every, alive=_alive(job, recorder))
        runs = Runs(
            target,
            recorder,
            warned,
            after_run=trips,
            shows_log=job.shows_log,
            shows_all=job.shows_all,
            put_back=surroundings(),
            tolerates=job.tolerates(),
        )
        runs.start()
        tell(Ready())
        if job.trace:
            path, running = Path(job.trace), job.running()
            most_mib = job.memory_max_mib
            tell(shorten(path, runs, scenario, running, job.hang_s, job.is_over, most_mib))
        else:
            search = Search(job, scenario, runs, tell)
            if job.replays_known:
                search.replay_known()
            search.go(header_of(job, target))
        runs.close()


def _alive(job: Job, recorder: Recorder) -> Callable[[], object]:
    """Return what a leak hunt calls in each of its steps, which stops it when time is over."""

    def alive() -> None:
        recorder.touch()
        if job.is_over():
            raise TimeOver

    return alive


def surroundings() -> Callable[[], None]:
    """Return a function that restores the working folder, the recursion limit and signal handlers.

    Both have to be called on the main thread.
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


def main() -> None:
    """Do the job that comes on the channel, and report its events there.

    An exception is reported as the system's or as ours, whichever raised it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the campaign's to handle
    channel = Channel()
    try:
        work(Job(**json.loads(channel.job)), channel.tell)
    except (DriverError, BadName) as error:
        channel.tell(Broke(str(error)))
    except BaseException as error:
        if is_the_systems(error):
            found = crashed(error)
            channel.tell(Raised(found.error, found.where))
        else:
            channel.tell(Broke("".join(traceback.format_exception(error)).rstrip()))
    else:
        return
    os._exit(1)  # not exit: a thread that the system left must not hold us


if __name__ == "__main__":
    main()
