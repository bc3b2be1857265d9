"""Nights that are killed, or share a corpus: nothing that was told is lost, or half written."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from random import Random

import psutil
import pytest
from threadline.campaign.corpus import Corpus
from threadline.contracts.conversation_store import ConversationStore
from threadline.report.record import read_record
from threadline.trace import read

from tests.project import GUARD_S, ran

MOMENTS = 30
LATEST_S = 9.0  # a night has begun, found, minimised and kept what it found by then
NIGHT_S = 8
DRIVERS = ("tests.mutants.store:JoinsKeys", "tests.toys.stores:dies")


def begun(seed: int) -> subprocess.Popen[str]:
    """Begin a short night on a store with a bug."""
    words = ["nightly", "--for", f"{NIGHT_S}s", "--seed", str(seed)]
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
    random = Random("moments/night")
    printed = [killed(seed, random.uniform(0.5, LATEST_S)) for seed in range(MOMENTS)]

    told = [path for text in printed for path in re.findall(r"trace: +(\S+)", text)]
    saved = [p for p in project.glob("reports/runs/*/*.jsonl") if "-running" not in p.stem]
    corpus = Corpus(Path("reports/corpus"))
    assert [path for path in told if not Path(path).exists()] == []
    assert unreadable(saved) == []
    assert unreadable([each.path for each in corpus.failures() + corpus.behaviour()]) == []
    assert corpus.aside == {}
    for record in project.glob("reports/runs/*/run.json"):
        read_record(record)
    after = ran("threadline", "nightly", "--for", "30s", "--driver", DRIVERS[0])
    assert after.returncode == 1, after.stdout
    assert not list(Path("reports/corpus").glob("aside/*"))
    print(f"{MOMENTS} kills: {len(told)} told, {len(saved)} saved, {corpus.added} kept")


@pytest.mark.slow
def test_two_nights_share_a_corpus(project: Path) -> None:
    """Both keep what they find, at the same time, in one folder; neither sets aside the other's."""
    nights = [begun(seed) for seed in (0, 2)]
    printed = [night.communicate(timeout=GUARD_S)[0] for night in nights]

    corpus = Corpus(Path("reports/corpus"))
    assert [night.returncode for night in nights] == [1, 1], printed
    assert len(corpus.nights()) == 2
    assert corpus.failures()
    assert corpus.aside == {}
    assert not list(Path("reports/corpus").rglob("*.partial"))
