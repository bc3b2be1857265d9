"""Tests of what runs are seen to reach: outcomes, states, and the runs that were first."""

from __future__ import annotations

from itertools import islice

import pytest
from threadline import Handle, Scenario, pool, rule
from threadline.campaign.lines import Lines, as_ranges, from_ranges
from threadline.lockstep.outcomes import expected_of
from threadline.lockstep.run import Runs, replay
from threadline.search.behaviour import (
    FIRSTS_MAX,
    LOOKED_AT_EVERY,
    Behaviour,
    number_of,
    packed,
    unpacked,
)
from threadline.search.explore import Explorer
from threadline.trace import parse

from tests.toys.desk import CODE, TICKETS, Desk, Desks, DeskScenario, header


class Busy(DeskScenario):
    """Tickets, and keys that are hit at random."""

    enter = rule(Desk.enter, user=pool("ana", "ben"))
    leave = rule(Desk.leave, ticket=TICKETS)
    press = rule(Desk.press, key=pool(1, 2, 3))


def followed(
    runs: int, known: set[int] | None = None, scenario: type[Scenario[Desk]] = Busy
) -> tuple[Behaviour, Runs, int]:
    """Explore so many runs; return what was seen of them, and how many steps they had."""
    behaviour, desks = Behaviour(known or set()), Desks().runs()
    desks.follower = behaviour
    batches = Explorer(scenario, desks, header(steps=12)).batches()
    return behaviour, desks, sum(batch.steps for batch in islice(batches, runs))


def test_counts_every_outcome_of_every_run() -> None:
    """The outcomes of all steps are counted by operation; what was taken is counted anew."""
    behaviour, _, steps = followed(40)

    operations, _, _ = behaviour.take()

    assert set(operations) == {"enter", "leave", "press"}
    assert sum(sum(outcomes.values()) for outcomes in operations.values()) == steps
    assert behaviour.take()[0] == {}


def test_tells_refusals_by_their_reason() -> None:
    """A refusal is another outcome than an answer."""
    behaviour, runs, _ = followed(0)
    ticket = Handle("t", 1)
    replay(
        runs, header(), [(1, Desk.enter("ana")), (2, Desk.leave(ticket)), (3, Desk.leave(ticket))]
    )
    assert behaviour.take()[0] == {"enter": {"ok": 1}, "leave": {"ok": 1, "refused: left": 1}}


def test_one_run_of_a_few_is_looked_at() -> None:
    """States are those of the first run until another is looked at; the start is one of them."""
    one, _, _ = followed(1)
    few, _, _ = followed(LOOKED_AT_EVERY)
    more, _, _ = followed(4 * LOOKED_AT_EVERY)

    assert number_of(repr((0, 0))) in one.states
    assert few.states == one.states
    assert len(more.states) > len(one.states)
    assert len(more.transitions) > len(more.states)


def test_the_first_run_to_a_state_leads_there_again() -> None:
    """Its trace ends with the step that has reached the last new state."""
    behaviour, runs, _ = followed(40)
    firsts = behaviour.firsts()
    again = Behaviour()
    runs.follower = again

    lines = firsts[0].trace.split(b"\n")
    trace, _ = parse("first", lines, Desk.kinds())
    assert replay(runs, trace.header, trace.operations) is None
    model = Desk()
    for number, operation in trace.operations:
        expected_of(model.at(number), operation)

    assert number_of(repr(model.shape())) == firsts[0].states[-1]
    assert set(firsts[0].states) <= again.states
    assert [first.new for first in firsts] == sorted((f.new for f in firsts), reverse=True)
    assert len(firsts) <= FIRSTS_MAX


def test_what_is_known_makes_no_run_worth_keeping() -> None:
    """Where all states are known from before, no run is a first, and all states are seen."""
    before, _, _ = followed(40)
    behaviour, _, _ = followed(40, set(before.states))

    assert behaviour.firsts() == []
    assert behaviour.states == before.states


def test_replays_of_a_failure_are_no_runs() -> None:
    """While it is off, nothing is counted."""
    behaviour, runs, _ = followed(4)
    behaviour.take()
    behaviour.is_off = True
    replay(runs, header(), [(1, Desk.ring())])

    assert behaviour.take() == ({}, [], [])


def test_numbers_travel_as_text() -> None:
    """What is packed comes back; what is no such text is told."""
    numbers = [0, 1, number_of("a"), 2**63 - 1]

    assert unpacked(packed(numbers)) == numbers
    with pytest.raises(ValueError, match="base64"):
        unpacked("?")


def test_an_explorer_goes_on_from_an_earlier_search() -> None:
    """A run that it is warmed with leads to states that its own runs can start from."""
    trace = parse(
        "code",
        [header().line().rstrip(b"\n")]
        + [
            b'{"step": %d, %b' % (n, Desk.press(int(key[-1])).line().rstrip(b"\n"))
            for n, key in enumerate(CODE, 1)
        ],
        Desk.kinds(),
    )[0]
    desks = Desks()
    explorer = Explorer(Busy, desks.runs(), header(steps=12))

    batch = explorer.warm(trace)
    list(islice(explorer.batches(), 60))

    assert batch.steps == len(CODE)
    assert any(log[: len(CODE)] == CODE for log in desks.logs[1:])


def test_lines_are_those_that_run(project: object) -> None:
    """The lines of the project's files are seen, and those of the harness are not."""
    runs = Desks().runs()
    lines = Lines()
    with lines.watched() as found:
        replay(runs, header(), [(1, Desk.ring())])
    assert found == {}  # the toys are not below this folder


def test_ranges_say_what_lines_there_are() -> None:
    """Ranges are short, and lead back to the same lines."""
    assert as_ranges([1, 2, 3, 7, 9, 10]) == "1-3,7,9-10"
    assert from_ranges("1-3,7,9-10") == [1, 2, 3, 7, 9, 10]
    assert as_ranges([]) == ""
    assert from_ranges("") == []
