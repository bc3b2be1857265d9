"""Who plays the slices of a campaign: processes of this machine, each watched by a thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from ..loading import Target
from .campaign import Interrupted, campaign
from .events import Event
from .job import Job
from .spares import Spares

SPARES = 4  # workers that wait, for each that plays: so many drivers need no new start; our choice


@dataclass(frozen=True, slots=True)
class Done:
    """A slice is over; `error` is what has ended it early."""

    error: BaseException | None = None


Told: TypeAlias = Callable[[Event | Done], None]


class Hands(Protocol):
    """Plays slices, each on its own; what is told of one comes in order, and ends with Done.

    At most as many at the same time as there are `workers`.
    """

    workers: int

    def begin(self, job: Job, target: Target, told: Told, interrupted: Interrupted) -> None:
        """Begin to play a job; `told` is called on any thread."""
        ...

    def stop(self) -> None:
        """End what is played, as far as `interrupted` does not."""
        ...

    def close(self) -> None:
        """Wait for what is played, and give back what is held."""
        ...


class Local:
    """Plays each slice in a process of this machine, beside at most so many others.

    A slice that has a time leaves its process to the next one of the same driver.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._spares = Spares(SPARES * workers)
        self._threads = ThreadPoolExecutor(workers, "slice")

    def begin(self, job: Job, target: Target, told: Told, interrupted: Interrupted) -> None:
        def play() -> None:
            try:
                spares = self._spares if job.seconds is not None else None
                campaign(job, target, told, interrupted, spares)
            except BaseException as error:  # each is the business of the main thread
                told(Done(error))
            else:
                told(Done())

        self._threads.submit(play)

    def stop(self) -> None:
        """Do nothing: each slice asks whether it is interrupted."""

    def close(self) -> None:
        self._threads.shutdown()
        self._spares.close()
