"""Generators of ids with one bug each."""

from __future__ import annotations

from typing import cast

from threadline.campaign.mutant import Mutant

from scenarios.keys import Keys
from sessions.ids import UnifiedIdGenerator
from sessions.parsed_id import ParsedId
from tests.mutants.sessions import mutant


@mutant(
    "make_ids",
    Keys,
    continuity_connect=2,
    continuity_from_websocket=2,
    continuity_get=2,
    continuity_message=2,
    isolation_connect=2,
    isolation_create_manager=2,
    isolation_from_websocket=2,
    isolation_get=2,
    isolation_message=2,
    keys_create_manager=2,
    keys_websocket_ids=2,
)
class IdsCollide(UnifiedIdGenerator):
    """Tells ids apart by the millisecond alone, of which a busy server has many to each."""

    def _stamp(self, random_length: int) -> str:
        stamp = f"{int(self._clock.now() * 1000):013d}_1"
        return f"{stamp}_{'0' * random_length}" if random_length else stamp


@mutant("make_ids", Keys, keys_base_id=1)
class OddLengthIsShort(UnifiedIdGenerator):
    """Makes half as many bytes as digits, rounded down: 6 digits where 7 are asked for."""

    def _hex(self, length: int) -> str:
        return self._entropy(length // 2).hex()


@mutant("make_ids", Keys, keys_read_id=1)
class OwnIdsAreInvalid(UnifiedIdGenerator):
    """Takes no id for its own that was made without random digits."""

    def _read(self, text: object) -> ParsedId | None:
        found = super()._read(text)
        return found if found and found.random else None


MUTANTS = cast("tuple[Mutant, ...]", (IdsCollide, OddLengthIsShort, OwnIdsAreInvalid))
