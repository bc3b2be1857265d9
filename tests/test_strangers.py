"""Contracts as a stranger would write them, with nothing but the public names.

A cache of a library, a hub of callbacks and tasks, a queue in a database. How many lines each takes
that are not blank, the system and its bugs left out: before, with a protocol, a class for each
operation, a rule for each, a contract and its blame, and now.

                before   now   share
    ttl_cache      184    68    37 %
    chat_room      256   102    40 %
    work_queue     246    93    38 %

The contracts were shaped after a first count of 41 % (chat_room) and 46 % (work_queue). Without
the operation `shout`, which the old way makes dearer, chat_room is still at 41 %. 14 of the lines
before of work_queue are what aiosqlite in the pump took then.
"""

from __future__ import annotations

import ast
import re
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import threadline
from threadline.campaign.mutant import Kill, Mutant, kill
from threadline.loading import load_scenario, load_target, scenarios_beside
from threadline.outcome import Crashed, Ok
from threadline.trace import is_signature_of

from tests.project import ROOT, run

FILES = {path.stem: path for path in sorted((ROOT / "tests/strangers").glob("*.py"))}
# By what each bug is seen first from seed 0, and in how many steps at least.
BUGS = {
    "chat_room:StopsAtTheFirstError": ("continuity-say", 4),
    "chat_room:WhispersToAll": ("isolation-wait", 4),
    "chat_room:TaskDiesWhenLeft": ("continuity-leave", 2),
    "chat_room:NamesakeLeaves": ("continuity-leave", 3),
    "chat_room:KeepsEmptyRooms": ("memory-leave", 2),
    "work_queue:LeaseEndsLate": ("memory-wait", 3),
    "work_queue:AnyoneFinishes": ("continuity-finish", 3),
    "work_queue:TimeoutsAreNoTries": ("memory-fail", 5),
    "work_queue:RevivedIsTired": ("continuity-wait", 8),
    "work_queue:ReusesNumbers": ("continuity-put", 3),
}
SHOWN_LINES_MAX = 90  # of the file that is shown whole in docs/contracts.md
SHARE_MAX = 0.4

every_file = pytest.mark.parametrize("name", FILES)


@cache
def hunt(name: str, runs_max: int = Mutant.RUNS_MAX) -> Kill:
    """Play what a driver's own file says is tried, from seed 0, until it fails."""
    target = load_target(f"tests.strangers.{name}")
    [scenario] = map(load_scenario, scenarios_beside(target.driver))
    # Nothing is changed in it: its bug is a class of its file, which the target makes.
    mutant = Mutant(name, "", "", "", "", target.driver, scenario, {})
    return kill(mutant, target, engine="explore", seed=0, runs_max=runs_max)


def own_lines(text: str) -> int:
    """Return how many lines are not blank, without the system's part and that of its bugs."""
    first, *parts = re.split(r"^# --- (.+)\n", text, flags=re.MULTILINE)
    named = dict(zip(parts[::2], parts[1::2], strict=True))
    own = first + named.get("how Threadline reaches it", "")
    return sum(1 for line in own.splitlines() if line.strip())


@pytest.mark.parametrize(
    ("name", "runs"),
    [
        ("ttl_cache:TtlCacheDriver", 500),
        pytest.param("ttl_cache:TtlCacheDriver", 5_000, marks=pytest.mark.slow),
        ("chat_room:ChatRoomsDriver", 200),
        ("work_queue:WorkQueueDriver", 200),
    ],
)
def test_a_system_without_bugs_shows_nothing(name: str, runs: int) -> None:
    """All runs are played, and none fails."""
    found = hunt(name, runs)

    assert found.signature is None
    assert found.runs == runs


@pytest.mark.parametrize("name", BUGS)
def test_each_bug_is_found_and_minimised_to_its_least_steps(name: str) -> None:
    """Within 200 runs of seed 0."""
    found = hunt(name)

    signature, steps = BUGS[name]
    assert is_signature_of(signature, found.signature)
    assert found.steps == steps


def test_a_bug_is_found_by_nothing_but_what_is_told() -> None:
    """
    Both sides come back with the same and hold the same; one more than was meant has heard it.
    """
    found = hunt("chat_room:WhispersToAll").minimised
    assert found is not None
    assert found.failure is not None
    disagreement = found.failure.disagreement
    expected, actual = disagreement.expected, disagreement.actual

    assert disagreement.of == "outcome"
    assert isinstance(expected, Ok)
    assert isinstance(actual, Ok)
    assert replace(actual, told=None) == replace(expected, told=None)
    assert actual.told != expected.told


def test_a_bug_is_found_by_nothing_but_a_task_that_dies() -> None:
    """
    The operation itself returns; what nobody awaits is told as its failure, with the task's name.
    """
    found = hunt("chat_room:TaskDiesWhenLeft").minimised
    assert found is not None
    assert found.failure is not None
    disagreement = found.failure.disagreement

    assert disagreement.of == "outcome"
    assert disagreement.expected == Ok()
    assert isinstance(disagreement.actual, Crashed)
    assert disagreement.actual.error.startswith("error in task UntidyHub._listen: KeyError")


@every_file
def test_imports_nothing_but_public_names(name: str) -> None:
    """All of Threadline comes by `from threadline import`, and stands in its `__all__`."""
    nodes = list(ast.walk(ast.parse(FILES[name].read_text("utf-8"))))
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    modules = [a.name for node in nodes if isinstance(node, ast.Import) for a in node.names]
    modules += [node.module or "." for node in froms if node.module != "threadline" or node.level]
    names = {a.name for node in froms if node.module == "threadline" for a in node.names}

    assert "Driver" in names
    assert names <= set(threadline.__all__)
    assert {m.split(".")[0] for m in modules}.isdisjoint({"threadline", "tests", ""})


def test_the_cache_is_short_enough_to_be_shown_whole() -> None:
    """With the model, the driver and its imports, on little more than a page."""
    assert len(FILES["ttl_cache"].read_text("utf-8").splitlines()) <= SHOWN_LINES_MAX


@every_file
def test_a_contract_takes_at_most_two_fifths_of_the_lines_before(name: str) -> None:
    """The table above says what it takes now, and what share that is."""
    row = re.search(rf"^ +{name} +(\d+) +(\d+) +(\d+) %$", __doc__ or "", re.MULTILINE)
    assert row is not None
    before, now, percent = map(int, row.groups())

    assert now == own_lines(FILES[name].read_text("utf-8"))
    assert percent == round(100 * now / before)
    assert now / before <= SHARE_MAX


def test_the_command_takes_the_cache_by_its_path(project: Path) -> None:
    """As docs/contracts.md says it; nothing found is exit code 0."""
    folder = project / "tests/strangers"
    folder.mkdir(parents=True)
    shutil.copy(FILES["ttl_cache"], folder)

    result = run("fuzz", "./tests/strangers/ttl_cache.py:TtlCacheDriver", "--runs", "20")

    assert result.exit_code == 0, result.output
