"""What a campaign remembers is bounded, however long it goes on."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from threadline.campaign.corpus import Corpus
from threadline.campaign.entry import Entry, Slice
from threadline.campaign.events import Began, Ended, Event, Progress, Reached
from threadline.campaign.job import Job
from threadline.campaign.night import Night
from threadline.campaign.plan import Plan
from threadline.report.keeper import Keeper
from threadline.report.live import Live
from threadline.report.terminal import Terminal
from threadline.search.behaviour import packed

from tests.nights import Hands, entry

RUNS = 50_000
RUNS_IN_A_SLICE = 100
STATES_IN_A_SLICE = 1_000  # new ones, which is more than any scenario of this project reaches
MORE_MAX_MIB = 30.0


def slices(job: Job) -> Iterator[Event]:
    """Play runs that reach new states, and tell each ten, as a worker does."""
    first = job.first_run // 1_000
    yield Began(job.scenario)
    for run in range(10, RUNS_IN_A_SLICE + 1, 10):
        yield Progress(run, 50 * run, run)
    states = range(first, first + STATES_IN_A_SLICE)
    yield Reached({"open": {"ok": 9}}, packed(states), packed(states), {"a.py": [1, 2, 3]})
    yield Ended(RUNS_IN_A_SLICE, 50 * RUNS_IN_A_SLICE, {})


@pytest.mark.slow
def test_a_long_night_takes_no_more_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over 50,000 runs in 500 slices, with all that listens, at most 30 MiB more."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    def script(job: Job) -> Iterator[Event]:
        now[0] += job.seconds or 0.0
        yield from slices(job)

    store = entry(known=[{"trace": "", "signature": "keys-pop"}])
    ends_at_s = RUNS / RUNS_IN_A_SLICE * 60.0
    plan = Plan([store], 1, ends_at_s, Corpus(tmp_path))
    terminal, keeper = Terminal(), Keeper([store], {}, tmp_path, ends_at_s)
    terminal.expect([store.name])
    live = Live(terminal.console, [store], ends_at_s)

    def hear(of: Entry, _part: Slice | None, event: Event) -> None:
        terminal.hear(event, of.name)
        keeper.hear(of, event)

    def tick() -> None:
        live.tick()
        keeper.tick()

    night = Night(plan, hear, idle=tick)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        night.play(Hands(script))
        gc.collect()
        more_mib = (tracemalloc.get_traced_memory()[0] - before) / (1 << 20)
    finally:
        tracemalloc.stop()

    assert store.runs >= RUNS * 0.99
    assert len(store.states) == 50_000
    assert more_mib < MORE_MAX_MIB
