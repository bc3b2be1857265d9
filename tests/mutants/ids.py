"""Generators of ids with one bug each."""

from __future__ import annotations

from threadline.campaign.mutant import Mutant

from scenarios.keys import Keys
from tests.mutants.sessions import line

IdsCollide = line(
    "IdsCollide",
    "Tells ids apart by the millisecond alone, of which a busy server has many to each.",
    "ids.UnifiedIdGenerator._stamp",
    old="if random_length == 0:",
    new="stamp = f'{int(self._clock.now() * 1000):013d}_1'\n"
    "if random_length:\n"
    "    return f\"{stamp}_{'0' * random_length}\"\n"
    "if True:",
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
    "ids.UnifiedIdGenerator._stamp",
    old="(random_length + 1) // 2",
    new="random_length // 2",
    scenario=Keys,
    keys_base_id=1,
)
OwnIdsAreInvalid = line(
    "OwnIdsAreInvalid",
    "Takes no id for its own that was made without random digits.",
    "ids.UnifiedIdGenerator.parse_id",
    old="if found is None:",
    new="if found is None or not found['random']:",
    scenario=Keys,
    keys_read_id=1,
)

MUTANTS = tuple(each for each in list(vars().values()) if isinstance(each, Mutant))
