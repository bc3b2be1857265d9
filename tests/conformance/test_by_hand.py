"""Parts that are called by hand agree with their models, and a bug in one is seen."""

from __future__ import annotations

from itertools import islice

import pytest
from threadline.campaign.change import Change, applied
from threadline.loading import load_scenario, load_target
from threadline.lockstep.run import Runs
from threadline.search.explore import Explorer
from threadline.trace import Header, Recorder

QUEUE, PARTS = "drivers.message_queue:MessageQueueDriver", "drivers.parts:PartsDriver"
STARTS = "drivers.database_start:DatabaseStartDriver"
TURNS = "drivers.stored_turns:StoredTurnsDriver"
SCENARIOS = {
    "scenarios.message_queue:QueueByHand": QUEUE,
    "scenarios.message_queue:DeadLetters": QUEUE,
    "scenarios.parts:PartsByHand": PARTS,
    "scenarios.database_start:Starts": STARTS,
    "scenarios.stored_turns:Turns": TURNS,
}
BUGS = {
    "taken as it is": (
        "scenarios.message_queue:QueueByHand",
        Change("sessions.messages.message.Message.__post_init__", "copy.deepcopy", ""),
    ),
    "an ended one takes a turn": (
        "scenarios.message_queue:QueueByHand",
        Change("sessions.queue.MessageQueue._has_ready", "self._is_over(queued.message)", "False"),
    ),
    "one dead letter more": (
        "scenarios.message_queue:DeadLetters",
        Change(
            "sessions.queue.MessageQueue._bury",
            "> self._settings.dead_letters_max",
            "> self._settings.dead_letters_max + 1",
        ),
    ),
    "characters, not bytes": (
        "scenarios.parts:PartsByHand",
        Change("sessions.messages.message.parsed", "len(raw)", "len(data)"),
    ),
    "a note of another's": (
        "scenarios.parts:PartsByHand",
        Change("sessions.routes._refusal", "user_id, thread_id)", "thread_id, user_id)"),
    ),
    "taken for its own after a restart of the server": (
        "scenarios.database_start:Starts",
        Change("sessions.storage.lease.Lease._take_again", "await self.release()", "pass"),
    ),
    "a migration in no transaction": (
        "scenarios.database_start:Starts",
        Change("sessions.storage.migration.migrate", "_begin(connection, schema)", "pass"),
    ),
    "a statement that the server never ends": (
        "scenarios.database_start:Starts",
        Change(
            "sessions.storage.engine.set_limits",
            "statement_timeout_s * 1_000",
            "connect_timeout_s * 1_000",
        ),
    ),
    "a removal of what was found due, and is not any more": (
        "scenarios.stored_turns:Turns",
        Change(
            "sessions.storage.thread_store.ThreadStore._remove",
            "if found is not None:",
            "if True:",
        ),
    ),
    "not frozen within": (
        "scenarios.parts:PartsByHand",
        Change("sessions.context.frozen", "tuple(frozen(field, item) for item in value)", "value"),
    ),
}


def failures(scenario: str, runs: int) -> list[str]:
    """Return what differs in so many runs, up to the first in which something does."""
    target = load_target(SCENARIOS[scenario])
    header = Header(target.model.name, target.name, seed=0, steps_max=50)
    played = Explorer(load_scenario(scenario), Runs(target, Recorder(None)), header).batches()
    failed = (str(batch.failure.signature) for batch in islice(played, runs) if batch.failure)
    return list(islice(failed, 1))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_part_agrees_with_its_model(scenario: str) -> None:
    """In 60 runs nothing differs."""
    assert failures(scenario, 60) == []


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_in_a_part_is_seen(bug: str) -> None:
    """Of copies, turns, limits, sizes, inner values, leases and tables each is seen in 60 runs."""
    scenario, change = BUGS[bug]
    with applied([change]):
        assert failures(scenario, 60) != []
