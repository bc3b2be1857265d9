"""A worker: the process in which one scenario is run; it receives a job, and sends events."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from ..driver import DriverError
from ..leaks.cycles import TimeOver
from ..leaks.round_trip import RoundTrips
from ..loading import BadName, load_scenario, load_target
from ..lockstep.outcomes import crashed, is_the_systems
from ..lockstep.recorders import warnings_recorded
from ..lockstep.run import Runs
from ..scenario import Scenario
from ..trace import Recorder
from .channel import Channel
from .events import Broke, Free, Message, Raised, Ready, Recorded
from .isolate import shorten
from .job import Job, header_of
from .search import Search

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGPIPE, signal.SIGCHLD)


def work(job: Job, tell: Callable[[Message], None]) -> bool:
    """Do a job in this process, and pass each message to `tell`.

    Returns whether the driver is as good as started for another job. Raises BadName where its names
    lead nowhere, and whatever a bug of the model or the scenario raises.
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
        runs = Runs(
            target,
            recorder,
            warned,
            shows_log=job.shows_log,
            shows_all=job.shows_all,
            put_back=surroundings(),
            tolerates=job.tolerates(),
        )
        runs.start()
        tell(Ready())
        job = job.started()
        runs.after_run = RoundTrips(job.round_trip_every, alive=_alive(job, recorder))
        _play(job, scenario, runs, tell)
        runs.close()
    return runs.has_started


def _play(
    job: Job, scenario: type[Scenario[Any]], runs: Runs, tell: Callable[[Message], None]
) -> None:
    """Do what a job says on a driver that has started."""
    if job.trace:
        path, running = Path(job.trace), job.running()
        most_mib = job.memory_max_mib
        tell(shorten(path, runs, scenario, running, job.hang_s, job.is_spent, most_mib))
        return
    search = Search(job, scenario, runs, tell)
    if job.replays_known:
        search.replay_known()
    search.go(header_of(job, runs.target))


def _alive(job: Job, recorder: Recorder) -> Callable[[], object]:
    """Return what a leak hunt calls in each of its steps, which stops it when time is over."""

    def alive() -> None:
        recorder.touch()
        if job.is_spent():
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
    """Do the jobs that come on the channel, and report their events there.

    An exception is reported as the system's or as ours, whichever raised it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the campaign's to handle
    channel = Channel()
    try:
        for encoded in channel.jobs():
            job = Job(**json.loads(encoded))
            if not (work(job, channel.tell) and job.keeps):
                return
            gc.collect()  # what the search has remembered
            channel.tell(Free())
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
