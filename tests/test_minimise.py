"""Tests of minimising: where deleting alone does not reach the shortest trace."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from threadline import Handle, Operation, pool, rule
from threadline.failure import Failure, Property, Signature
from threadline.lockstep import run
from threadline.lockstep.run import Runs
from threadline.minimise.fixpoint import Minimised, minimise
from threadline.trace import Header, Numbered, Trace

from tests.toys.desk import TICKETS, Desk, Desks, DeskScenario, header

ON_RING = Signature(Property.CONTINUITY, "ring", "refused")
ON_PRESS = Signature(Property.CONTINUITY, "press", "refused")
ON_ENTER = Signature(Property.CONTINUITY, "enter", "refused")
ON_LEAVE = Signature(Property.CONTINUITY, "leave", "refused")


class Everything(DeskScenario):
    """All that can be done at a desk."""

    enter = rule(Desk.enter, user=pool("ana", "ben", "cyd"))
    leave = rule(Desk.leave, ticket=TICKETS)
    press = rule(Desk.press, key=pool(0, 1, 2, 3))
    ring = rule(Desk.ring)


class OneOrTrue(DeskScenario):
    """Presses what is 1, or equal to it."""

    press = rule(Desk.press, key=pool(1, True))
    ring = rule(Desk.ring)


def leaves_after_a_ring(log: list[str]) -> bool:
    return log[-1].startswith("leave") and "ring" in log


def enters_twice(log: list[str]) -> bool:
    return log[-1].startswith("enter") and log.count(log[-1]) == 2


def presses_its_place(log: list[str]) -> bool:
    """Break where a key is pressed whose number is that of the presses before it, 1 or more."""
    return len(log) > 1 and log[-1] == f"press {len(log) - 1}"


def rings_after_three(log: list[str]) -> bool:
    """Break where the bell rings after key 3, and otherwise where key 2 is pressed."""
    return log[-1] == "press 2" or (log[-1] == "ring" and "press 3" in log)


def rings_after_one(log: list[str]) -> bool:
    return log[-1] == "ring" and log[0] in {"press 1", "press True"}


def rings_after_two_enters(log: list[str]) -> bool:
    return log[-1] == "ring" and len([line for line in log if line.startswith("enter")]) >= 2


class BreaksAtFirst:
    """Breaks in the first runs alone, which are counted by the operations they begin with."""

    def __init__(self, runs: int) -> None:
        self._runs = runs

    def __call__(self, log: list[str]) -> bool:
        if log[-1] != "ring":
            return False
        self._runs -= 1
        return self._runs >= 0


class BreaksEarlier:
    """Breaks at the bell in the first run, and from then on at any key."""

    def __init__(self) -> None:
        self._has_rung = False

    def __call__(self, log: list[str]) -> bool:
        if self._has_rung:
            return log[-1].startswith("press")
        self._has_rung = log[-1] == "ring"
        return self._has_rung


def minimised(
    is_broken: Callable[[list[str]], bool], signature: Signature, *operations: Numbered
) -> Minimised:
    whole = Trace(header(), operations)
    return minimise(whole, signature, Desks(is_broken).runs(), Everything)


def least(
    is_broken: Callable[[list[str]], bool], signature: Signature, *operations: Operation
) -> list[str]:
    """Return the operations that are left of these, by their numbers."""
    return steps(minimised(is_broken, signature, *numbered(*operations)))


def numbered(*operations: Operation) -> list[Numbered]:
    return list(enumerate(operations, 1))


def steps(least: Minimised) -> list[str]:
    return [f"{number} {operation}" for number, operation in least.trace.operations]


def test_deletes_what_is_not_needed() -> None:
    """Operations without which the run fails alike are gone."""
    enter, leave = Desk.enter("ana"), Desk.leave(Handle("t", 1))
    noisy = (enter, Desk.press(1), Desk.press(2), enter, leave, Desk.ring())
    assert least(rings_after_two_enters, ON_RING, *noisy) == [
        *("1 enter(user='ana')", "2 enter(user='ana')", "3 ring()")
    ]


def test_takes_simpler_arguments() -> None:
    """Each argument is the first of its pool with which the run still fails."""
    others = (Desk.enter("cyd"), Desk.enter("ben"), Desk.ring())
    assert least(rings_after_two_enters, ON_RING, *others) == [
        *("1 enter(user='ana')", "2 enter(user='ana')", "3 ring()")
    ]


def test_takes_an_earlier_handle() -> None:
    """An operation on a second ticket is tried on the first, and then the second can go."""
    enter, leave = Desk.enter("ana"), Desk.leave(Handle("t", 2))
    assert least(leaves_after_a_ring, ON_LEAVE, enter, enter, Desk.ring(), leave) == [
        *("1 enter(user='ana')", "2 ring()", "3 leave(ticket=t_1)")
    ]


def test_renames_a_value_everywhere() -> None:
    """A user who must be the same in two places is made simpler in both at once."""
    twice = (Desk.enter("cyd"), Desk.enter("cyd"))
    found = least(enters_twice, ON_ENTER, *twice)
    assert found == ["1 enter(user='ana')", "2 enter(user='ana')"]


def test_changes_one_value_with_one_deletion() -> None:
    """A key that tells how many came before it is changed together with a deletion."""
    presses = (Desk.press(0), Desk.press(0), Desk.press(2))
    found = least(presses_its_place, ON_PRESS, *presses)
    assert found == ["1 press(key=0)", "2 press(key=1)"]


def test_keeps_the_signature() -> None:
    """A run that fails otherwise is no smaller form; the failure of the least comes with it."""
    operations = numbered(Desk.press(3), Desk.press(1), Desk.ring())
    least = minimised(rings_after_three, ON_RING, *operations)

    assert steps(least) == ["1 press(key=3)", "2 ring()"]
    assert least.failure is not None
    assert [str(step) for step in least.failure.steps] == ["1 press(key=3)", "2 ring()"]


def test_numbers_anew_in_the_end() -> None:
    """Numbers and the handles named after them are those of a run without gaps."""
    least = minimised(
        leaves_after_a_ring,
        ON_LEAVE,
        (4, Desk.enter("ana")),
        (9, Desk.ring()),
        (12, Desk.leave(Handle("t", 4))),
    )

    assert steps(least) == ["1 enter(user='ana')", "2 ring()", "3 leave(ticket=t_1)"]


def test_keeps_numbers_while_it_deletes(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operation keeps its number when others are deleted, so that handles keep their meaning."""
    told: list[int] = []
    runs = Desks(leaves_after_a_ring).runs()
    monkeypatch.setattr(runs.recorder, "record", lambda number, _operation: told.append(number))
    whole = Trace(
        header(), ((4, Desk.enter("ana")), (9, Desk.ring()), (12, Desk.leave(Handle("t", 4))))
    )

    minimise(whole, ON_LEAVE, runs, Everything)

    assert told[:3] == [4, 9, 12]
    assert set(told) == {1, 2, 3, 4, 9, 12}


def test_ends_with_the_best_so_far_when_time_is_over() -> None:
    """
    Nothing is replayed once time is over; what is shorter by then is kept, and said to be cut.
    """
    whole = Trace(header(), tuple(numbered(*[Desk.press(3)] * 6, Desk.ring())))
    asked = iter([False] * 3)

    least = minimise(
        whole,
        ON_RING,
        Desks(rings_after_three).runs(),
        Everything,
        is_over=lambda: next(asked, True),
    )

    assert least.is_cut
    assert least.replays == 3
    assert len(least.trace.operations) < 7


def test_says_that_it_did_not_fail_again() -> None:
    """A failure that a replay does not show has no shorter form, and keeps its trace."""
    least = minimised(BreaksAtFirst(0), ON_RING, *numbered(Desk.press(3), Desk.ring()))

    assert least.failure is None
    assert steps(least) == ["1 press(key=3)", "2 ring()"]
    assert least.replays == 1


@pytest.mark.parametrize("runs", [1, 2, 3, 4])
def test_bears_a_failure_that_stops(runs: int) -> None:
    """A failure that comes again a few times only has the shortest trace that was seen to fail."""
    least = minimised(
        BreaksAtFirst(runs), ON_RING, *numbered(Desk.press(3), Desk.press(2), Desk.ring())
    )

    assert least.failure is not None
    assert steps(least)[-1].endswith("ring()")


def test_bears_a_run_that_fails_earlier() -> None:
    """A run that fails before its last step when its values are looked at ends nothing."""
    least = minimised(
        BreaksEarlier(), ON_RING, *numbered(Desk.enter("ana"), Desk.press(3), Desk.ring())
    )

    assert steps(least) == ["1 enter(user='ana')", "2 press(key=3)", "3 ring()"]


def test_tells_1_from_true() -> None:
    """A trace with True is made one with 1, which Python calls equal, and fails as it is told."""
    whole = Trace(header(), ((1, Desk.press(True)), (2, Desk.ring())))
    least = minimise(whole, ON_RING, Desks(rings_after_one).runs(), OneOrTrue)

    assert least.failure is not None
    assert [str(step) for step in least.failure.steps] == ["1 press(key=1)", "2 ring()"]
    assert steps(least) == ["1 press(key=1)", "2 ring()"]


def test_replays_nothing_twice() -> None:
    """No trace is replayed a second time."""
    replayed: list[bytes] = []

    def again(runs: Runs, header: Header, operations: Iterable[Numbered]) -> Failure | None:
        replayed.append(Trace(header, tuple(operations)).encoded())
        return run.replay(runs, header, operations)

    whole = Trace(header(), tuple(numbered(Desk.enter("cyd"), Desk.press(1), Desk.enter("cyd"))))
    minimise(whole, ON_ENTER, Desks(enters_twice).runs(), Everything, again)

    assert len(replayed) > 2
    assert len(replayed) == len(set(replayed))


def test_bounds_its_replays() -> None:
    """From 200 operations to the two that matter takes fewer than 100 replays."""
    noise = [Desk.press(1), Desk.enter("ben")] * 99
    least = minimised(rings_after_three, ON_RING, *numbered(Desk.press(3), *noise, Desk.ring()))

    assert steps(least) == ["1 press(key=3)", "2 ring()"]
    assert least.replays < 100
