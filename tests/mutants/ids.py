"""Generators of ids with one bug each."""

from __future__ import annotations

from threadline.campaign.change import Change
from threadline.campaign.mutant import Mutant

from scenarios.keys import Keys
from tests.mutants.sessions import line

IdsCollide = line(
    "IdsCollide",
    "Tells ids apart by the millisecond alone, of which a busy server has many to each.",
    "ids.UnifiedIdGenerator._next_number",
    old="next(self._counter)",
    new="1",
    also=(
        Change(
            "sessions.ids.UnifiedIdGenerator._hex",
            old="self._entropy((length + 1) // 2).hex()[:length]",
            new="'0' * length",
        ),
    ),
    scenario=Keys,
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
OddLengthIsShort = line(
    "OddLengthIsShort",
    "Makes half as many bytes as digits, rounded down: 6 digits where 7 are asked for.",
    "ids.UnifiedIdGenerator._hex",
    old="(length + 1) // 2",
    new="length // 2",
    scenario=Keys,
    keys_base_id=1,
)
OwnIdsAreInvalid = line(
    "OwnIdsAreInvalid",
    "Takes no id for its own that was made without random digits.",
    "ids.UnifiedIdGenerator.parse_id",
    old="return parsed(text)",
    new="found = parsed(text)\nreturn found if found and found.random else None",
    scenario=Keys,
    keys_read_id=1,
)

MUTANTS = tuple(each for each in list(vars().values()) if isinstance(each, Mutant))
