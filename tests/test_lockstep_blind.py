"""A system that cannot tell what it holds, because telling raises."""

from __future__ import annotations

import pytest
from threadline import Census
from threadline.contracts.conversation_store import ConversationStore
from threadline.failure import Divergence
from threadline.lockstep.lockstep import Lockstep
from threadline.report.failure_text import failure_text

from drivers.memory_store import MemoryStoreDriver


class Blind(MemoryStoreDriver):
    """Opens conversations, and raises when it is asked what it holds."""

    def census(self) -> Census:
        raise LookupError("no such table: turns")


def test_a_census_that_raises_is_a_failure_of_the_step_before_it() -> None:
    """What a system raises when it is looked at ends the run as a failure, not the campaign."""
    lockstep = Lockstep(ConversationStore(), Blind())

    with pytest.raises(Divergence) as divergence:
        lockstep.step(1, ConversationStore.open("ana", "t"))

    assert "crashed (LookupError: no such table: turns)" in failure_text(divergence.value.failure)
