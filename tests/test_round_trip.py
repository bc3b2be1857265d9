"""The round trip: cycles with fresh handles, exact resources, what is skipped and why."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest
from threadline import Handle, Operation, bounded
from threadline.contracts.conversation_store import ConversationStore
from threadline.failure import Divergence
from threadline.leaks.block_count import count_blocks
from threadline.leaks.cycles import Cycles, TimeOver, Unlike
from threadline.leaks.growth import Growths
from threadline.leaks.leak import leak_of
from threadline.leaks.round_trip import TIME_OVER, RoundTrip, RoundTrips
from threadline.lockstep.lockstep import Lockstep
from threadline.trace import Header

from drivers.memory_store import Conversation, MemoryStore, MemoryStoreDriver

STEPS: list[Operation] = [
    ConversationStore.open("ana", "t"),
    ConversationStore.append(Handle("c", 1), "m"),
]


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

    def open(self, user: str, thread: str) -> Conversation:
        self.opened += 1
        if self.opened > 2:
            raise RuntimeError("no more")
        return self.store.open(user, thread)


class Bounding(MemoryStoreDriver):
    """Declares that its store keeps nothing under a key that it does not keep."""

    bounds = (bounded("store.hoard", 3),)


class Endless(ConversationStore):
    """A model of which nobody has said how to take it back to empty."""

    def teardown(self) -> Iterator[Operation]:
        yield from ()


def lockstep_of(
    driver: MemoryStoreDriver, model: type[ConversationStore] = ConversationStore
) -> Lockstep:
    """Return a run in which a conversation was opened and written to."""
    run = Lockstep(model(), driver)
    for number, operation in enumerate(STEPS, 1):
        run.step(number, operation)
    return run


def trip(driver: MemoryStoreDriver, **more: Any) -> Growths:
    growths = Growths()
    RoundTrip(lockstep_of(driver), growths, **more).make()
    return growths


def test_a_clean_run_is_torn_down_and_repeated() -> None:
    """Nothing grows, nothing had to be watched for longer."""
    growths = trip(MemoryStoreDriver())

    assert (growths.made, growths.levels, growths.skipped) == (1, {}, {})


def test_a_file_descriptor_for_each_run_is_a_leak() -> None:
    """Descriptors are equal before and after, without a root and without doubling."""
    store = Leaving()
    with pytest.raises(Divergence) as caught:
        trip(Rootless(lambda: store))
    for each in store.sockets:
        each.close()

    assert str(caught.value.failure.signature) == "memory-file_descriptors"
    assert leak_of(caught.value.failure).cycles == 30


def test_ends_when_time_is_over() -> None:
    """
    Who is asked in each step whether it goes on can end the watching; nothing is claimed then.
    """

    def alive() -> None:
        raise TimeOver

    growths = trip(MemoryStoreDriver(), alive=alive)

    assert (growths.made, growths.skipped) == (0, {TIME_OVER: 1})


def test_without_roots_the_net_catches_what_grows() -> None:
    """A driver that names no roots gets the resources and the net; a leak is still found."""
    with pytest.raises(Divergence) as caught:
        trip(Rootless(Hoarding), counts_blocks=True)

    assert str(caught.value.failure.signature) == "memory-allocated_blocks"


def test_the_net_is_cast_once_in_a_test() -> None:
    """What it saw on the first clean run is kept, and told."""
    growths = trip(MemoryStoreDriver(), counts_blocks=True)
    seen = growths.block_count
    RoundTrip(lockstep_of(Rootless(Hoarding)), growths, counts_blocks=True).make()

    assert seen.startswith("no growth of memory blocks over 388 cycles")
    assert growths.block_count == seen


def test_a_declared_bound_is_asserted_before_anything_is_doubled() -> None:
    """More than was promised is a failure at once."""
    with pytest.raises(Divergence) as caught:
        trip(Bounding(Hoarding))
    leak = leak_of(caught.value.failure)

    assert (leak.at_most, leak.now, leak.cycles) == (3, 7, 6)


class Buffering(MemoryStore):
    """Keeps every text until its conversation is deleted."""

    def __init__(self) -> None:
        super().__init__()
        self.hoard: dict[int, str] = {}

    def append(self, conversation: Conversation, text: str) -> None:
        super().append(conversation, text)
        self.hoard[len(self.hoard)] = text

    def delete(self, user: str, thread: str) -> None:
        super().delete(user, thread)
        self.hoard.clear()


def buffering(turns: int) -> None:
    """Look for what is over its bound in a run of so many turns."""
    run = Lockstep(ConversationStore(), Bounding(Buffering))
    for number, operation in enumerate([STEPS[0], *[STEPS[1]] * turns], 1):
        run.step(number, operation)
    RoundTrip(run, Growths()).make()


def test_a_declared_bound_holds_while_the_system_is_live() -> None:
    """
    What a teardown empties has been over its bound before, and the failure is of the run alone.
    """
    with pytest.raises(Divergence) as caught:
        buffering(turns=4)

    leak, lines = leak_of(caught.value.failure), caught.value.failure.lines()
    assert (leak.at_most, leak.now, leak.cycles) == (3, 4, 0)
    assert lines[0] == "memory: store.hoard holds more than it may"
    assert lines[1] == "  leak:    holds 4; its declared bound is 3"
    assert lines[3] == "  history, 5 steps:"


def test_a_system_on_its_declared_bound_keeps_it() -> None:
    """As much as was promised is not more."""
    buffering(turns=3)


def test_a_bound_of_nothing_at_all_can_be_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bound of 0 is one."""
    monkeypatch.setattr(Bounding, "bounds", (bounded("store.hoard", 0),))

    with pytest.raises(Divergence) as caught:
        buffering(turns=1)

    assert str(leak_of(caught.value.failure)) == "holds 1; its declared bound is 0"


def test_a_cycle_that_takes_another_course_shows_nothing() -> None:
    """Where the system does not repeat itself, the run is skipped, and it is said why."""
    driver = Moody()
    growths = trip(driver)

    (reason,) = growths.skipped
    assert reason.startswith("a cycle took another course: 1 open(user='ana', thread='t')")
    assert growths.made == 0


def test_a_model_that_its_teardown_does_not_empty_is_skipped() -> None:
    """
    Nobody knows how to take such a system back to where it began, and it is said what is left.
    """
    growths = Growths()
    RoundTrip(lockstep_of(MemoryStoreDriver(), Endless), growths).make()

    assert growths.skipped == {"the teardown leaves conversations": 1}


def due(every: int) -> list[int]:
    """Return which of 60 runs of seed 7 end with a round trip."""
    trips = RoundTrips(every)
    return [run for run in range(60) if trips.is_due(Header("", "", seed=7, run=run))]


def test_no_run_is_due_where_none_was_asked_for() -> None:
    """A round trip for one run in 0 is made for traces alone."""
    assert due(0) == []


def test_every_run_is_due_where_each_was_asked_for() -> None:
    """A round trip for one run in 1 is made for all."""
    assert due(1) == list(range(60))


def test_the_seed_decides_which_runs_are_due() -> None:
    """They are the same in every process, whatever was played before."""
    assert due(10) == [18, 50]


def test_a_budget_that_ends_first_leaves_it_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    """What still grows then is reported, and never called a leak."""
    monkeypatch.setattr("threadline.leaks.round_trip.OPERATIONS_MAX", 60)
    growths = trip(MemoryStoreDriver(Hoarding))

    assert {path.name: cycles for path, cycles in growths.undecided.items()} == {"store.hoard": 14}


def test_handles_are_fresh_in_each_cycle() -> None:
    """What a step of a cycle names is what that cycle brought back."""
    given: list[object] = []

    class Noting(MemoryStoreDriver):
        def append(self, conversation: Conversation, text: str) -> None:
            given.append(conversation)
            self.store.append(conversation, text)

    driver = Noting()
    run = lockstep_of(driver)
    cycles = Cycles(driver, run.play, tuple(run.steps), Growths(), lambda: 0)
    cycles.run(2)

    assert len(given) == len({id(each) for each in given}) == 3


def test_a_step_that_is_refused_this_time_ends_the_cycles() -> None:
    """Unlike says which step, and what came of it."""
    driver = Moody()
    with closing(driver):
        run = lockstep_of(driver)
        cycles = Cycles(driver, run.play, tuple(run.steps), Growths(), lambda: 0)
        with pytest.raises(Unlike, match="RuntimeError: no more"):
            cycles.run(2)


def test_the_net_is_not_cast_beside_other_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """They allocate what they like, so it is skipped, and reported as skipped."""
    monkeypatch.setattr("threadline.leaks.block_count.threading.active_count", lambda: 2)
    driver = MemoryStoreDriver()
    run = lockstep_of(driver)

    seen = count_blocks(Cycles(driver, run.play, tuple(run.steps), Growths(), lambda: 0))

    assert str(seen) == "skipped: other threads live, and allocate what they like"


def test_the_net_watches_as_long_however_few_cycles_one_watches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What grows in the first 150 cycles, and no more, is no leak."""
    counts = iter([0, 100, 300, *[300] * 20])
    monkeypatch.setattr("threadline.leaks.block_count._blocks", lambda: next(counts))
    driver = MemoryStoreDriver()
    run = lockstep_of(driver)

    cycles = Cycles(driver, run.play, tuple(run.steps), Growths(), lambda: 0)
    seen = count_blocks(cycles, cycles_max=30)

    assert not seen.leaks
    assert seen.cycles >= 350
