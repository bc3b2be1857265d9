"""What a system keeps for each user who was ever there is found: cycles have new names."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from threadline.contracts.conversation_store import ConversationStore, Store
from threadline.failure import Divergence
from threadline.leaks.growth import Growths
from threadline.leaks.round_trip import RoundTrip, RoundTrips, round_trips_of
from threadline.loading import load_target
from threadline.lockstep.lockstep import Lockstep
from threadline.lockstep.run import Runs
from threadline.rule import Rule
from threadline.scenario import Scenario
from threadline.search.explore import Explorer
from threadline.trace import BadTrace, Header, Recorder, Trace, read_header

from drivers.memory_store import Conversation, MemoryStore, MemoryStoreDriver
from scenarios.keys import Keys
from tests.mutants.benign import Users64
from tests.planted_leaks import BY_IDENTITY, BY_NAME, MODULES, alarms, hunt, is_told, told

RUNS_MAX = 20
every_leak = pytest.mark.parametrize("name", BY_IDENTITY)


class Noting(MemoryStore):
    """Notes who has opened which thread, and keeps the notes."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: dict[str, set[str]] = {}

    def open(self, user: str, thread: str) -> Conversation:
        self.notes.setdefault(user, set()).add(thread)
        return super().open(user, thread)


def nameless(scenario: type[Scenario[Any]]) -> type[Scenario[Any]]:
    """Return a scenario whose users and threads are marked as no identities."""

    def change(rule: Rule) -> Rule:
        return replace(rule, pools=tuple((n, replace(p, identities=())) for n, p in rule.pools))

    return scenario.changed(change)


def round_trip(*identities: str) -> dict[str, int]:
    """Return what a round trip sees that has stopped growing; raises Divergence for a leak."""
    run = Lockstep(ConversationStore(), MemoryStoreDriver(Noting))
    run.step(1, ConversationStore.open("ana", "t"))
    growths = Growths()
    RoundTrip(run, growths, identities=identities).make()
    return growths.skipped


@pytest.mark.parametrize(
    ("name", "seed"),
    [
        pytest.param(name, seed, marks=[pytest.mark.slow] if seed or n else [])
        for n, name in enumerate(BY_IDENTITY)
        for seed in (0, 1)
    ],
)
def test_what_is_kept_for_each_user_is_found_minimised_and_named(name: str, seed: int) -> None:
    """
    The report has its class, the operation in which it is born, and the chain from a root.
    """
    died, found = hunt(BY_NAME[name], seed)

    assert dict(BY_NAME[name].least) == {str(died.signature): died.steps}
    assert is_told(found, BY_IDENTITY[name]), told(found)


@every_leak
def test_the_same_users_again_do_not_show_it(name: str) -> None:
    """
    Without new names the leak lives: that is what they are for.
    """
    mutant, target = BY_NAME[name], load_target(f"{MODULES[name]}:{name}")
    runs = Runs(replace(target, invariants=()), Recorder(None), after_run=RoundTrips(1))
    header = Header(target.model.name, target.name, steps_max=10)
    batches = islice(Explorer(nameless(mutant.scenario), runs, header).batches(), RUNS_MAX)

    assert [str(batch.failure) for batch in batches if batch.failure] == []
    assert round_trips_of(runs).growths.made > 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_a_cache_of_users_is_not_flagged(seed: int) -> None:
    """
    It takes in every new name, and stops at its 64.
    """
    failures, known = alarms(Users64, seed, runs_max=10)

    assert [str(failure) for failure in failures] == []
    assert known.undecided == {}


def test_each_cycle_has_new_names() -> None:
    """
    They stand wherever the identity does; with the same names, nothing has grown.
    """
    assert round_trip() == {}
    with pytest.raises(Divergence, match=r"store\.notes"):
        round_trip("ana")


def test_only_identities_get_new_names() -> None:
    """
    A thread that nobody has marked stays as it is: one user has one thread.
    """
    with pytest.raises(Divergence, match=r"store\.notes\.each"):
        round_trip("t")


def test_a_scenario_knows_whom_its_rules_name() -> None:
    """
    Those of united pools too, each once; what is odd or empty is none.
    """
    assert Store.identities() == ("ana", "ana:b", "Ana", "t", "t1", "b:t", " t")
    assert Keys.identities() == ("ana", "ana:b", "Ana", "t", "b:t", "t1", " t", "default")
    assert nameless(Store).identities() == ()


def test_a_trace_that_hunts_for_leaks_keeps_the_names(tmp_path: Path) -> None:
    """
    Then it leaks when it is replayed, whatever became of the scenario; other traces have none.
    """
    path = tmp_path / "t.jsonl"
    header = Header("conversation_store", "d", round_trip=True, identities=["ana"])
    path.write_bytes(Trace(header, ()).encoded())

    assert read_header(path).identities == ["ana"]
    assert b"identities" not in replace(header, round_trip=False).line()


def test_an_identity_of_a_trace_is_text(tmp_path: Path) -> None:
    """
    The error says what to write.
    """
    path = tmp_path / "t.jsonl"
    path.write_bytes(Header("c", "d", round_trip=True, identities=[1]).line())  # type: ignore[list-item]

    with pytest.raises(BadTrace, match="an identity that is no text; write names"):
        read_header(path)
