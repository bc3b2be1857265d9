"""Campaigns that are told what to hear: hands that play a script, without a process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from threadline.campaign.campaign import Interrupted, WorkerFailed
from threadline.campaign.entry import Entry
from threadline.campaign.events import Began, Ended, Event, Found, Progress, Shorter
from threadline.campaign.hands import Done, Told
from threadline.campaign.job import Job
from threadline.campaign.night import Night
from threadline.campaign.plan import Plan
from threadline.loading import Target, load_target

from tests.test_corpus import lines

DRIVER = "drivers.memory_store:MemoryStoreDriver"
TARGET = load_target(DRIVER)


def entry(name: str = "store", **more: Any) -> Entry:
    job = Job(f"mine:{name.title()}", "mine:Driver", "explore", seed=0, steps=9)
    return Entry(name, replace(job, **more), TARGET)


def found(signature: str = "keys-pop", trace: str = "", runs: int = 3) -> Found:
    return Found(signature, "text", trace, lines("open", "pop", signature=signature), runs, 2)


def shorter(signature: str = "keys-pop", doubt: str = "") -> Shorter:
    content = lines("pop", signature=signature)
    return Shorter(signature, "short", content, replays=4, steps=1, doubt=doubt)


class Hands:
    """Plays each job at once, as `play` says, and remembers the jobs in their order."""

    def __init__(self, play: Callable[[Job], Iterator[Event]]) -> None:
        self.workers = 1
        self.jobs: list[Job] = []
        self.is_stopped = self.is_closed = False
        self._play = play

    def begin(self, job: Job, target: Target, told: Told, interrupted: Interrupted) -> None:
        self.jobs.append(job)
        try:
            for event in self._play(job):
                told(event)
        except (WorkerFailed, KeyboardInterrupt, ZeroDivisionError) as error:
            told(Done(error))
        else:
            told(Done())

    def stop(self) -> None:
        self.is_stopped = True

    def close(self) -> None:
        self.is_closed = True


def clean(job: Job) -> Iterator[Event]:
    """Play ten runs without a failure."""
    yield Began(job.scenario)
    yield Progress(5, 40, 5)
    yield Ended(10, 80, {}, unused=["rule open: never drawn"])


def play(
    entries: Sequence[Entry], script: Callable[[Job], Iterator[Event]] = clean, **more: Any
) -> tuple[list[Job], list[tuple[str, Event]], Night]:
    """Play a campaign on hands that follow a script; return its jobs and what it tells."""
    hands, heard = Hands(script), list[tuple[str, Event]]()
    plan = Plan(entries, **{"workers": 2, **more})
    night = Night(plan, lambda of, _part, event: heard.append((of.name, event)))
    night.play(hands)
    return hands.jobs, heard, night


def ends(heard: Sequence[tuple[str, Event]]) -> dict[str, Ended]:
    return {name: event for name, event in heard if isinstance(event, Ended)}
