"""The round trip: cycles with fresh handles, exact resources, what is skipped and why."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from threadline.contract import Contract
from threadline.failure import Divergence
from threadline.handle import Handle
from threadline.leaks.block_count import cast
from threadline.leaks.bounds import Bounded, bounded
from threadline.leaks.cycles import Cycles, Unlike
from threadline.leaks.growth import Known
from threadline.leaks.leak import leak_of
from threadline.leaks.round_trip import RoundTrip
from threadline.lockstep.lockstep import Lockstep
from threadline.operation import Operation
from threadline.outcome import Outcome

from drivers.memory_store import Conversation, MemoryStore, MemoryStoreDriver
from models.conversation_store import CONVERSATION_STORE
from models.conversation_store.operations import Append, Open

STEPS: list[Operation] = [Open("ana", "t"), Append(Handle("c", 1), "m")]


class Rootless(MemoryStoreDriver):
    """A driver that names nothing from where to look."""

    def roots(self) -> Mapping[str, object]:
        return {}


class Leaving(MemoryStore):
    """Leaves a socket open for each conversation."""

    def __init__(self) -> None:
        super().__init__()
        self.sockets: list[socket.socket] = []

    def open(self, user: str, thread: str) -> Conversation:
        self.sockets.append(socket.socket())
        return super().open(user, thread)


class Hoarding(MemoryStore):
    """Keeps every text, in a string that nobody can look into."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0
        self.hoard: dict[int, str] = {}

    def append(self, conversation: Conversation, text: str) -> None:
        super().append(conversation, text)
        self.hoard[len(self.hoard)] = text * 64


class Moody(MemoryStoreDriver):
    """Crashes from its third conversation on."""

    opened = 0

    def open(self, user: str, thread: str) -> Outcome:
        self.opened += 1
        if self.opened > 2:
            raise RuntimeError("no more")
        return super().open(user, thread)


class Bounding(MemoryStoreDriver):
    """Declares that its store keeps nothing under a key that it does not keep."""

    bounds: ClassVar[tuple[Bounded, ...]] = (bounded("store.hoard", 3),)


def lockstep_of(driver: MemoryStoreDriver, contract: Contract = CONVERSATION_STORE) -> Lockstep:
    """Return a run in which a conversation was opened and written to."""
    run = Lockstep(contract, driver, {})
    for number, operation in enumerate(STEPS, 1):
        run.step(number, operation)
    return run


def trip(driver: MemoryStoreDriver, **more: Any) -> Known:
    known = Known()
    RoundTrip(lockstep_of(driver), known, **more).make()
    return known


def test_a_clean_run_is_torn_down_and_repeated() -> None:
    """
    Nothing grows, nothing had to be watched for longer.
    """
    known = trip(MemoryStoreDriver())

    assert (known.made, known.levels, known.skipped) == (1, {}, {})


def test_a_file_descriptor_for_each_run_is_a_leak() -> None:
    """
    Descriptors are equal before and after, without a root and without doubling.
    """
    store = Leaving()
    with pytest.raises(Divergence) as caught:
        trip(Rootless(lambda: store))
    for each in store.sockets:
        each.close()

    assert str(caught.value.failure.signature) == "memory-file_descriptors"
    assert leak_of(caught.value.failure).cycles == 30


def test_without_roots_the_net_catches_what_grows() -> None:
    """
    A driver that names no roots gets the resources and the net; a leak is still found.
    """
    with pytest.raises(Divergence) as caught:
        trip(Rootless(Hoarding), nets=True)

    assert str(caught.value.failure.signature) == "memory-allocated_blocks"


def test_the_net_is_cast_once_in_a_test() -> None:
    """
    What it saw on the first clean run is kept, and told.
    """
    known = trip(MemoryStoreDriver(), nets=True)
    seen = known.net
    RoundTrip(lockstep_of(Rootless(Hoarding)), known, nets=True).make()

    assert seen.startswith("no growth of memory blocks over 388 cycles")
    assert known.net == seen


def test_a_declared_bound_is_asserted_before_anything_is_doubled() -> None:
    """
    More than was promised is a failure at once.
    """
    with pytest.raises(Divergence) as caught:
        trip(Bounding(Hoarding))
    leak = leak_of(caught.value.failure)

    assert (leak.at_most, leak.now, leak.cycles) == (3, 7, 6)


def test_a_cycle_that_takes_another_course_shows_nothing() -> None:
    """
    Where the system does not repeat itself, the run is skipped, and it is said why.
    """
    driver = Moody()
    known = trip(driver)

    (reason,) = known.skipped
    assert reason.startswith("a cycle took another course: 1 open(user='ana', thread='t')")
    assert known.made == 0


def test_a_contract_without_a_teardown_is_skipped() -> None:
    """
    Nobody knows how to take such a system back to empty.
    """
    known = Known()
    bare = replace(CONVERSATION_STORE, teardown=None)
    RoundTrip(lockstep_of(MemoryStoreDriver(), bare), known).make()

    assert known.skipped == {"the contract conversation_store has no teardown": 1}


def test_a_budget_that_ends_first_leaves_it_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What still grows then is reported, and never called a leak.
    """
    monkeypatch.setattr("threadline.leaks.round_trip.OPERATIONS_MAX", 60)
    known = trip(MemoryStoreDriver(Hoarding))

    assert {path.name: cycles for path, cycles in known.undecided.items()} == {"store.hoard": 14}


def test_handles_are_fresh_in_each_cycle() -> None:
    """
    What a step of a cycle names is what that cycle brought back.
    """
    given: list[object] = []

    class Noting(MemoryStoreDriver):
        def append(self, conversation: Conversation, text: str) -> Outcome:
            given.append(conversation)
            return super().append(conversation, text)

    driver = Noting()
    run = lockstep_of(driver)
    cycles = Cycles(driver, run.play, tuple(run.steps), Known(), lambda: 0)
    cycles.run(2)

    assert len(given) == len({id(each) for each in given}) == 3


def test_a_step_that_is_refused_this_time_ends_the_cycles() -> None:
    """
    Unlike says which step, and what came of it.
    """
    driver = Moody()
    with closing(driver):
        run = lockstep_of(driver)
        cycles = Cycles(driver, run.play, tuple(run.steps), Known(), lambda: 0)
        with pytest.raises(Unlike, match="RuntimeError: no more"):
            cycles.run(2)


def test_the_net_is_not_cast_beside_other_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    They allocate what they like, so it is skipped, and reported as skipped.
    """
    monkeypatch.setattr("threadline.leaks.net.threading.active_count", lambda: 2)
    driver = MemoryStoreDriver()
    run = lockstep_of(driver)

    seen = cast(Cycles(driver, run.play, tuple(run.steps), Known(), lambda: 0))

    assert str(seen) == "skipped: other threads live, and allocate what they like"
