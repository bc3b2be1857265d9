"""Tests of detours: a run leaves out one ingredient of a known failure, and plays all else."""

from __future__ import annotations

from itertools import islice
from random import Random

import pytest
from threadline import Handle, Operation
from threadline.contracts.conversation_store import ConversationStore, Store
from threadline.loading import Target, load, load_target
from threadline.lockstep.run import Runs
from threadline.minimise.fixpoint import minimise
from threadline.model import Model
from threadline.scenario import own_scenario
from threadline.search.detour import Danger, Detour
from threadline.search.explore import Explorer
from threadline.trace import Header, Recorder

from drivers.memory_store import MemoryStoreDriver
from tests.toys.clients import Clients

C1, C3 = Handle("c", 1), Handle("c", 3)
open_, append, clear = ConversationStore.open, ConversationStore.append, ConversationStore.clear
TRACE = [(1, open_("ana", "t")), (2, append(C1, "m2")), (3, clear(C1))]


class Dice(Random):
    """Falls as it is told."""

    def __init__(self, *falls: float) -> None:
        super().__init__(0)
        self._falls = list(falls)

    def random(self) -> float:
        return self._falls.pop(0)


def detour(*, left_out: bool = False, is_curious: bool = False) -> Detour:
    """Return a detour in a run that leaves out the last operation, or another."""
    made = Detour("memory-clear.conversations", TRACE)
    made.begin(Dice(0.0 if left_out else 0.9, *([0.0] if left_out else []), 1.0 - is_curious))
    return made


def play(made: Detour, model: Model, *operations: Operation) -> list[bool]:
    """Return of each operation whether it may come; those that may are played."""
    found = []
    for number, operation in enumerate(operations, 1):
        found.append(made.allows(operation, model))
        if found[-1]:
            operation.expect(model.at(number))
            made.played(number, operation)
    return found


def test_leaves_out_the_last_operation_where_it_failed() -> None:
    """A conversation with a turn is not cleared once that has failed; everything else may come."""
    made = detour()
    play(made, ConversationStore(), open_("ana", "t"), append(C1, "m2"), clear(C1))
    made.ended()
    made.danger.learn({"conversations": None}, failed=False)
    made.begin(Dice(0.9, 0.9))

    assert play(made, ConversationStore(), open_("ben", "x"), append(C1, "y"), clear(C1)) == [
        *(True, True, False)
    ]


def test_lets_come_what_did_not_fail() -> None:
    """Under what differs from all that has failed the operation may come."""
    made = detour()
    for turns in (1, 2, 3):
        made.danger.learn({"conversations": turns}, failed=True)
    made.danger.learn({"conversations": None}, failed=False)

    assert play(made, ConversationStore(), open_("ana", "t"), clear(C1)) == [True, True]


def test_goes_without_another_operation() -> None:
    """
    Some runs never append, and are free to clear; none goes without what opens the conversation.
    """
    made = detour(left_out=True)
    made.danger.learn({}, failed=True)

    assert made.others == ["append"]
    assert play(made, ConversationStore(), open_("ana", "t"), append(C1, "m2"), clear(C1)) == [
        *(True, False, True)
    ]


def test_is_curious_where_nothing_is_sure() -> None:
    """A curious run leaves out what has failed just so, and tries what is only like it."""
    made = detour(is_curious=True)
    made.danger.learn({"latest": "append"}, failed=True)

    assert made.danger.judges({"latest": "other"})
    assert play(made, ConversationStore(), open_("ana", "t"), append(C1, "m2"), clear(C1))[-1]


def test_refuses_a_trace_without_operations() -> None:
    """Where the start of a system fails, there is nothing to go round."""
    target = Target("desk", MemoryStoreDriver, MemoryStoreDriver)
    explorer = Explorer(Store, Runs(target, Recorder(None)), Header("conversation_store", "x"))

    with pytest.raises(ValueError, match="a run that takes no step"):
        explorer.go_round("liveness-start", [])


def test_asks_for_what_tells_apart() -> None:
    """The trait is asked for that fails alone; a text that is new each time tells nothing."""
    danger = Danger()
    for number in range(40):
        is_odd = number % 2 == 1
        danger.learn({"text": f"m{number}", "thread": " t" if is_odd else "t"}, failed=is_odd)

    assert danger.judges({"text": "m99", "thread": " t"})
    assert not danger.judges({"text": "m1", "thread": "t"})
    assert not danger.judges({"text": "m1", "thread": "never seen"})


def test_judges_all_alike_while_nothing_has_passed() -> None:
    """What has only failed so far is left out wherever it could come."""
    danger = Danger()
    assert not danger.judges({"thread": "t"})
    danger.learn({"thread": "t"}, failed=True)

    assert not danger.has_passed
    assert danger.judges({"thread": "other"})


def shares(seed: int) -> tuple[float, float]:
    """Return the share of steps in runs that a known bug does not end, before and on a detour."""
    mutant = load("tests.mutants.store:ClearLeavesOne")
    runs = Runs(Target("clear", mutant, MemoryStoreDriver), Recorder(None))
    header = Header("conversation_store", "clear", seed=seed, steps_max=50)
    found = []
    for goes_round in (False, True):
        search = Explorer(Store, runs, header)
        free = total = 0
        for batch in islice(search.batches(), 200):
            total += batch.steps
            free += 0 if batch.failure else batch.steps
            if batch.failure and goes_round:
                goes_round = False
                least = minimise(batch.trace(), batch.failure.signature, runs, Store)
                search.go_round(str(batch.failure.signature), least.trace.operations)
        found.append(free / total)
    return found[0], found[1]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_plays_nine_steps_of_ten_in_runs_that_it_does_not_end(seed: int) -> None:
    """A bug that ends half of all runs ends few of those that go round it."""
    before, now = shares(seed)

    assert before < 0.7
    assert now > 0.9


def test_what_is_learnt_of_one_face_holds_for_the_others() -> None:
    """Traces that differ in their last operation alone are one bug, and have one memory."""
    target = load_target("drivers.memory_store:MemoryStoreDriver")
    search = Explorer(Store, Runs(target, Recorder(None)), Header("conversation_store", "x"))
    search.go_round("memory-clear.conversations", TRACE)
    search.go_round("memory-pop.conversations", [*TRACE[:2], (3, ConversationStore.pop(C1))])
    search.go_round("memory-open.conversations", TRACE[:1])
    search.go_round("memory-reopen.conversations", [(1, ConversationStore.reopen())])

    first, second, third, fourth = (detour.danger for detour in search._detours)
    assert first is second
    assert len({id(first), id(third), id(fourth)}) == 3


def test_plays_nothing_that_is_impossible_without_what_is_left_out() -> None:
    """A way to a state that was seldom seen ends where it would go on through what is left out."""
    target = load_target("tests.toys.clients:KeptAndRefused")
    runs = Runs(target, Recorder(None))
    scenario = own_scenario(Clients)
    search = Explorer(scenario, runs, Header("clients", target.name, seed=3, steps_max=50))
    met: set[str] = set()
    for batch in islice(search.batches(), 300):
        name = str(batch.failure.signature) if batch.failure else ""
        if batch.failure and name not in met:
            met.add(name)
            least = minimise(batch.trace(), batch.failure.signature, runs, scenario)
            search.go_round(name, least.trace.operations)

    assert search.drawn()["say"] > 0


@pytest.mark.slow
def test_goes_round_alike_each_time() -> None:
    """What is left out is drawn from the seed."""
    assert shares(0) == shares(0)
