"""Killed at any moment, a campaign loses nothing that it has told, and leaves no broken file."""

from __future__ import annotations

import os
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
from threadline.contracts.conversation_store import ConversationStore
from threadline.trace import read

from tests.project import GUARD_S, heard, ran

MOMENTS = 100
LATEST_S = 4.0  # a campaign has loaded, played, found and minimised by then
DRIVERS = ("tests.mutants.store:JoinsKeys", "tests.toys.stores:dies")
# A worker that was killed from outside is one that its system has ended, for all that can be seen.
REPLAYED = {"worker": {0, 1, -signal.SIGKILL}, "campaign": {1, -signal.SIGKILL}}
ALLOWED = {"worker": {1}, "campaign": {1, -signal.SIGKILL}}


def killed(whom: str, after_s: float, seed: int) -> tuple[str, int]:
    """Fuzz, kill the campaign or its worker after so long; return its output and status."""
    driver = DRIVERS[seed % len(DRIVERS)]
    words = ["fuzz", "--driver", driver, "--seed", str(seed), "--runs", "2000"]
    campaign = subprocess.Popen(
        [sys.executable, "-m", "threadline", *words], stdout=subprocess.PIPE, text=True
    )
    killer = threading.Timer(after_s, lambda: kill(campaign.pid, whom))
    killer.start()
    printed, _ = campaign.communicate(timeout=GUARD_S)
    killer.join()
    return printed, campaign.returncode


def kill(campaign: int, whom: str) -> None:
    """Kill a campaign, or the worker that it has at this moment; what has ended is let alone."""
    with suppress(psutil.NoSuchProcess, ProcessLookupError):
        workers = psutil.Process(campaign).children()
        for each in workers if whom == "worker" else [psutil.Process(campaign)]:
            each.send_signal(signal.SIGKILL)


def traces(folder: Path) -> list[Path]:
    return sorted(folder.glob("reports/runs/*/*.jsonl"))


@pytest.mark.slow
@pytest.mark.parametrize("whom", ["worker", "campaign"])
def test_a_kill_at_any_moment_loses_nothing_that_was_told(project: Path, whom: str) -> None:
    """
    Every trace that was told or saved is on disk, whole, and replays; the command ends as it must.

    What only the kill has ended agrees when it is replayed; what the system does fails again.
    """
    random = Random(f"moments/{whom}")
    ends = [killed(whom, random.uniform(0.0, LATEST_S), seed) for seed in range(MOMENTS // 2)]

    told = [path for printed, _ in ends for path in re.findall(r"trace: +(\S+)", printed)]
    kept = [path for path in traces(project) if "-running" not in path.stem]
    assert {status for _, status in ends} <= ALLOWED[whom]
    assert [path for path in told if not Path(path).exists()] == []
    assert [path for path in kept if replayed(path) not in REPLAYED[whom]] == []
    print(f"{len(ends)} kills of the {whom}: {len(told)} traces told, {len(kept)} kept")


def replayed(path: Path) -> int:
    """Return the status of a replay, in a process of its own: that of some does not survive it."""
    driver = read(path, ConversationStore.kinds()).header.driver
    return ran("threadline", "replay", str(path), "--driver", driver).returncode


def test_a_worker_that_hangs_ends_with_its_campaign(project: Path) -> None:
    """A campaign that was killed leaves no process behind, not even in a step without an end."""
    command = [
        sys.executable,
        "-m",
        "threadline",
        "fuzz",
        "--driver",
        "tests.toys.stores:waits_by_a_pipe",
    ]
    os.mkfifo(project / "pipe")
    campaign = subprocess.Popen(command, env={**os.environ, "PIPE": str(project / "pipe")})
    worker = psutil.Process(int(heard(project / "pipe")))  # it is in its step

    campaign.kill()
    campaign.wait()

    worker.wait(timeout=GUARD_S)
    assert not worker.is_running()
