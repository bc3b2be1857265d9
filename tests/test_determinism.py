"""The same seed gives the same histories, and a trace outlives what it was found with."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from threadline.contracts.conversation_store import OPEN, USERS, ConversationStore, Store
from threadline.history import digest
from threadline.loading import load_target
from threadline.lockstep.lockstep import Lockstep
from threadline.lockstep.run import Runs, replay
from threadline.rule import rule
from threadline.search.explore import Explorer
from threadline.search.machine import Chunks
from threadline.trace import Header, Recorder, read

from tests.project import ROOT

# What seed 5 plays, on every machine; they change with the scenario, and with how a run is drawn.
EXPLORED = "4cef6047d86ce3da5526338b572f10aa3be9449010b50239099c8a365082dc8c"
DRIVER = "tests.mutants.store:PopsTheFirst"


class KeptRuns(Runs):
    """Runs of which the digests of all histories are kept."""

    @contextmanager
    def open(
        self, header: bytes, settings: Mapping[str, object], **more: Any
    ) -> Iterator[Lockstep]:
        with super().open(header, settings, **more) as lockstep:
            yield lockstep
            digests.append(digest(lockstep.steps))


digests: list[str] = []


def histories(engine: str, seed: int) -> str:
    """Return a digest of all histories of 60 runs against a store with a bug."""
    digests.clear()
    target = load_target(DRIVER)
    header = Header("conversation_store", DRIVER, seed=seed, steps_max=30)
    runs = KeptRuns(target, Recorder(None))
    batches = (
        islice(Explorer(Store, runs, header).batches(), 60)
        if engine == "explore"
        else Chunks(Store, runs, header).batches(runs_max=60)
    )
    for _ in batches:
        pass
    return hashlib.sha256("".join(digests).encode("ascii")).hexdigest()


def histories_elsewhere(engine: str, hash_seed: str) -> str:
    """Return the same digest from a process of its own."""
    program = f"from tests.test_determinism import histories; print(histories({engine!r}, 5))"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", program],
        check=True, capture_output=True, text=True, env=environment, cwd=ROOT,
    ).stdout.strip()  # fmt: skip


def test_explore_plays_the_histories_that_are_written_down() -> None:
    """The digest is a constant: the same in every process, under -n 2, on every machine."""
    assert histories("explore", seed=5) == EXPLORED


@pytest.mark.parametrize("hash_seed", ["0", "1", "random"])
def test_explore_plays_the_same_under_any_hash_seed(hash_seed: str) -> None:
    """PYTHONHASHSEED changes no history."""
    assert histories_elsewhere("explore", hash_seed) == EXPLORED


def test_explore_plays_the_same_twice_in_one_process() -> None:
    """Nothing of the runs before is left in those after."""
    assert histories("explore", seed=7) == histories("explore", seed=7)


def test_another_seed_plays_something_else() -> None:
    """The seed is what fixes the draws."""
    assert histories("explore", seed=6) != EXPLORED


@pytest.mark.slow
def test_hypothesis_plays_the_same_under_any_hash_seed() -> None:
    """The derived machine draws nothing but what its seed fixes."""
    here = histories("hypothesis", seed=5)
    assert [histories_elsewhere("hypothesis", hash_seed) for hash_seed in "01"] == [here, here]


def test_a_trace_replays_after_its_scenario_has_changed(tmp_path: Path) -> None:
    """
    A rule added, one edited, the class renamed, another step limit: the trace still fails alike.
    """

    class Renamed(Store):  # in the test, as pytest would play it
        list_twice = rule(ConversationStore.threads, user=USERS)
        pop = rule(ConversationStore.pop, conversation=OPEN, weight=3)

    target = load_target(DRIVER)
    path = tmp_path / "trace.jsonl"
    runs = Runs(target, Recorder(path))
    header = Header("conversation_store", DRIVER, scenario="gone:Gone", seed=0, steps_max=999)
    batches = Explorer(Renamed, runs, header).batches()
    found = next(batch.failure for batch in batches if batch.failure)
    stored = read(path, target.model.kinds())

    again = replay(Runs(target, Recorder(None)), stored.header, stored.operations)

    assert again is not None
    assert again.signature == found.signature
    assert digest(again.steps) == digest(found.steps)
