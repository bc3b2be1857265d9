"""Tests of a campaign on a Dask cluster of two workers, one of which is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from threadline.campaign.cluster import Cluster
from threadline.campaign.entry import Entry
from threadline.campaign.events import Ended, Event, Shorter
from threadline.campaign.job import Job
from threadline.campaign.night import Night
from threadline.campaign.plan import Plan
from threadline.loading import load_target

from tests.project import GUARD_S, run

distributed = pytest.importorskip("distributed", reason="the extra cluster is not installed")

STORE = "threadline.contracts.conversation_store:Store"
CLEAN = "drivers.memory_store:MemoryStoreDriver"
MUTANT = "tests.mutants.store:JoinsKeys"


@pytest.fixture
def scheduler(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Start a cluster of two processes in the project's folder; return its address."""
    monkeypatch.setenv("KILLED", str(project / "killed"))
    cluster = distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=None,
    )
    with cluster:
        yield str(cluster.scheduler_address)


def entry(name: str, driver: str, folder: Path, **more: Any) -> Entry:
    values = {"runs": 100, "folder": str(folder), "hang_s": GUARD_S, **more}
    job = Job(STORE, driver, "explore", 0, 50, **values)
    return Entry(name, job, load_target(driver))


def play(scheduler: str, *entries: Entry) -> list[tuple[str, Event]]:
    told: list[tuple[str, Event]] = []
    hands = Cluster(scheduler)
    plan = Plan(entries, hands.workers)
    Night(plan, lambda of, _part, event: told.append((of.name, event))).play(hands)
    return told


@pytest.mark.slow
def test_a_cluster_loses_nothing_with_a_worker(scheduler: str, project: Path) -> None:
    """A worker is killed in the middle of a slice: the slice is played on the other, and all that
    is found comes back, with its trace on this machine.
    """
    waiting = entry("waits", "tests.toys.stores:kills_its_watcher", project, runs=30)
    told = play(scheduler, waiting, entry("bad", MUTANT, project), entry("good", CLEAN, project))

    ended = {name: event for name, event in told if isinstance(event, Ended)}
    (found, *_) = [e for name, e in told if name == "bad" and isinstance(e, Shorter)]
    assert {name: end.runs for name, end in ended.items()} == {"waits": 30, "bad": 100, "good": 100}
    assert ended["waits"].failures == {}
    assert (project / "killed").exists()
    assert Path(found.trace).parent == project
    assert found.trace in found.text
    assert run("replay", found.trace, "--driver", MUTANT).exit_code == 1


def test_where_no_scheduler_is_it_says_so(project: Path) -> None:
    """What was given, and what to write."""
    result = run("nightly", "--for", "1s", "--scheduler", "nowhere")

    assert result.exit_code == 2
    assert "no scheduler answers at nowhere" in result.output
