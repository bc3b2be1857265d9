"""Nights that are killed, or share a corpus: nothing that was told is lost, or half written."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from random import Random

import psutil
import pytest
from threadline.campaign.corpus import Corpus
from threadline.contracts.conversation_store import ConversationStore
from threadline.report.record import read_record
from threadline.trace import read

from tests.project import GUARD_S, night_until_told

MOMENTS = 30
LATEST = 1.5  # times what a night takes until it tells a failure: it has minimised it, and others
DRIVERS = ("tests.mutants.store:JoinsKeys", "tests.toys.stores:dies")


def begun(seed: int) -> subprocess.Popen[str]:
    """Begin a night on a store with a bug."""
    words = ["nightly", "--for", f"{GUARD_S:.0f}s", "--seed", str(seed)]
    command = [sys.executable, "-m", "threadline", *words, "--driver", DRIVERS[seed % 2]]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def killed(seed: int, after_s: float) -> str:
    """Kill a night after so long, with all its workers; return what it had printed."""
    night = begun(seed)

    def kill() -> None:
        with suppress(psutil.NoSuchProcess):
            psutil.Process(night.pid).send_signal(signal.SIGKILL)

    killer = threading.Timer(after_s, kill)
    killer.start()
    printed, _ = night.communicate(timeout=GUARD_S)
    killer.cancel()
    return printed


def unreadable(paths: list[Path]) -> list[Path]:
    """Return the traces among these files that are not whole."""
    bad = []
    for path in paths:
        trace = read(path, ConversationStore.kinds())
        if trace.is_cut:
            bad.append(path)
    return bad


@pytest.mark.slow
def test_a_night_killed_at_any_moment_loses_nothing(project: Path) -> None:
    """Every trace that was told is on disk; every file of the corpus is whole; the next night
    plays it.
    """
    random, began_s = Random("moments/night"), time.monotonic()
    night_until_told("--seed", "0", "--driver", DRIVERS[0])
    latest_s = LATEST * (time.monotonic() - began_s)
    printed = [killed(seed, random.uniform(0.1, latest_s)) for seed in range(MOMENTS)]

    told = [path for text in printed for path in re.findall(r"trace: +(\S+)", text)]
    saved = [p for p in project.glob("reports/runs/*/*.jsonl") if "-running" not in p.stem]
    corpus = Corpus(Path("reports/corpus"))
    assert [path for path in told if not Path(path).exists()] == []
    assert unreadable(saved) == []
    assert unreadable([each.path for each in corpus.failures() + corpus.behaviour()]) == []
    assert corpus.aside == {}
    for record in project.glob("reports/runs/*/run.json"):
        read_record(record)
    status, after = night_until_told("--driver", DRIVERS[0])
    assert status == 1, after
    assert told
    assert not list(Path("reports/corpus").glob("aside/*"))
    print(f"{MOMENTS} kills: {len(told)} told, {len(saved)} saved, {corpus.added} kept")


@pytest.mark.slow
def test_two_nights_share_a_corpus(project: Path) -> None:
    """Both keep what they find, at the same time, in one folder; neither sets aside the other's."""
    with ThreadPoolExecutor() as both:
        words = ("--driver", DRIVERS[0], "--seed")
        ended = [*both.map(lambda seed: night_until_told(*words, seed), ("0", "2"))]

    corpus = Corpus(Path("reports/corpus"))
    assert [status for status, _ in ended] == [1, 1], ended
    assert len(corpus.nights()) == 2
    assert corpus.failures()
    assert corpus.aside == {}
    assert not list(Path("reports/corpus").rglob("*.partial"))
