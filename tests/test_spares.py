"""Workers that are kept from slice to slice: what they save, and what ends with them."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import psutil
import pytest
from threadline.campaign.campaign import never
from threadline.campaign.channel import Line
from threadline.campaign.events import Ended, Event
from threadline.campaign.hands import SPARES, Done, Local
from threadline.campaign.job import Job
from threadline.loading import load_target

from tests.project import GUARD_S

STORE = "threadline.contracts.conversation_store:Store"
STARTED = "tests.toys.stores:StartedOnce"


def played(hands: Local, driver: str = STARTED, **more: Any) -> Ended:
    """Play a slice to its end: 20 runs, and a time that no machine needs for them."""
    values = {"runs": 20, "seconds": GUARD_S, "hang_s": GUARD_S, "folder": ".", **more}
    job = Job(STORE, driver, "explore", seed=0, steps=20, **values)
    told = SimpleQueue[Event | Done]()
    hands.begin(job, load_target(driver), told.put, never)
    ended: Ended | None = None
    while not isinstance(event := told.get(timeout=GUARD_S), Done):
        ended = event if isinstance(event, Ended) else ended
    assert event.error is None
    assert ended is not None
    return ended


def started() -> list[int]:
    """Return the processes in which the driver was started."""
    return [int(line) for line in Path("started").read_text("ascii").split()]


def test_a_slice_that_follows_another_starts_nothing(project: Path) -> None:
    """Its worker is there, with the driver started; it plays the runs that a new one would."""
    hands = Local(1)
    first, second = played(hands), played(hands)
    (pid,) = started()
    assert psutil.pid_exists(pid)
    hands.close()

    assert (first.runs, first.steps) == (second.runs, second.steps)
    assert not psutil.pid_exists(pid)


def test_a_campaign_of_runs_has_a_worker_for_each_scenario(project: Path) -> None:
    """Nothing of one scenario is left in the process of the next: same seed, same history."""
    hands = Local(1)
    played(hands, seconds=None)
    played(hands, seconds=None)
    hands.close()

    assert len(set(started())) == 2


def test_a_kept_worker_that_has_ended_is_no_failure(project: Path) -> None:
    """Nobody asked it for anything: the next slice is played in another process."""
    hands = Local(1)
    played(hands)
    os.kill(started()[0], signal.SIGKILL)
    ended = played(hands)
    hands.close()

    assert ended.failures == {}
    assert ended.runs == 20
    assert len(set(started())) == 2


def test_one_that_ends_before_it_takes_a_slice_is_no_failure(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor where that is seen only once the job was sent: it has played nothing of it."""
    hands, send = Local(1), Line.send
    played(hands)
    (first,) = started()
    os.kill(first, signal.SIGSTOP)

    def sent_to_the_dead(line: Line, job: bytes) -> bool:
        is_sent = send(line, job)
        if line.child.process.pid == first:
            os.kill(first, signal.SIGKILL)
        return is_sent

    monkeypatch.setattr(Line, "send", sent_to_the_dead)
    ended = played(hands)
    hands.close()

    assert ended.failures == {}
    assert ended.runs == 20
    assert len(set(started())) == 2


def test_a_worker_whose_driver_has_not_started_is_not_kept(project: Path) -> None:
    """Each slice tries to start it, and each fails, as its first did."""
    hands = Local(1)
    first = played(hands, "tests.toys.stores:StartRaises")
    second = played(hands, "tests.toys.stores:StartRaises")
    hands.close()

    assert [*first.failures] == [*second.failures] != []
    assert len(set(started())) == 2


@pytest.mark.slow
def test_no_more_workers_wait_than_that(project: Path) -> None:
    """Of many drivers, the workers of those that were played last are kept."""
    driver = "tests.toys.many_stores:Store"
    hands = Local(1)
    for number in range(SPARES + 2):
        played(hands, f"{driver}{number}")
    alive = [pid for pid in started() if psutil.pid_exists(pid)]
    hands.close()

    assert alive == started()[-SPARES:]
