"""The whole service plays the same runs in every process: storage, tasks, agents and crashes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any

from threadline.history import digest
from threadline.loading import load_target
from threadline.lockstep.lockstep import Lockstep
from threadline.lockstep.run import Runs
from threadline.search.explore import Explorer
from threadline.trace import Header, Recorder

from scenarios.whole_service import WholeService
from tests.project import ROOT

DRIVER = "drivers.service:ServiceDriver"
RUNS = 8


class KeptRuns(Runs):
    """Runs that add their histories to one digest."""

    @contextmanager
    def open(
        self, header: bytes, settings: Mapping[str, object], **more: Any
    ) -> Iterator[Lockstep]:
        with super().open(header, settings, **more) as lockstep:
            yield lockstep
            kept.update(digest(lockstep.steps).encode("ascii"))


kept = hashlib.sha256()


def histories() -> str:
    """Return a digest of all histories of the first runs of seed 5."""
    target = load_target(DRIVER)
    header = Header(target.model.name, DRIVER, seed=5, steps_max=50)
    batches = Explorer(WholeService, KeptRuns(target, Recorder(None)), header).batches()
    for batch in islice(batches, RUNS):
        assert batch.failure is None
    return kept.hexdigest()


def histories_elsewhere(hash_seed: str) -> str:
    program = "from tests.test_service_determinism import histories; print(histories())"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", program],
        check=True, capture_output=True, text=True, env=environment, cwd=ROOT,
    ).stdout.strip()  # fmt: skip


def test_service_plays_the_same_under_any_hash_seed() -> None:
    """
    Processes with other hash seeds, and so with other orders of sets, come to one digest.
    """
    assert len({histories_elsewhere(hash_seed) for hash_seed in ("0", "random")}) == 1
