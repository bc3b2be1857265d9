"""Session managers whose errors say what is wrong: the reason is right, and the text is not."""

from __future__ import annotations

from threadline.campaign.mutant import Mutant

from scenarios.keys import Keys
from scenarios.refusals import Refusals
from tests.mutants.sessions import line

NamesAnotherField = line(
    "NamesAnotherField",
    "Checks a thread's id in the place of a run's, and so blames a field that was never given.",
    "registry.Registry.get_existing_session",
    old="self._validate(user_id, thread_id, None)",
    new="self._validate(user_id, None, thread_id)",
    scenario=Refusals,
    continuity_existing__text=1,
)
SwapsValueAndRule = line(
    "SwapsValueAndRule",
    "Tells a user that the value is the rule, and that it must be what was given.",
    "context.check_id",
    old='raise InvalidContextError(field, value, "be a string")',
    new='raise InvalidContextError(field, "be a string", value)',
    scenario=Refusals,
    continuity_connect__text=1,
    continuity_create__text=1,
    continuity_deliver__text=1,
    continuity_existing__text=1,
    continuity_from_websocket__text=1,
    continuity_get__text=1,
    continuity_get_session__text=1,
    continuity_invalidate__text=1,
    continuity_message__text=1,
    continuity_ping__text=1,
    keys_create_manager__text=1,
)
TellsTheWrongLength = line(
    "TellsTheWrongLength",
    "Tells how many characters a purpose may have where it tells how many it has.",
    "ids.UnifiedIdGenerator.generate_user_context_ids",
    old="operation has {len(operation)} characters",
    new="operation has {OPERATION_LENGTH_MAX} characters",
    scenario=Keys,
    keys_context_ids__text=1,
)

MUTANTS = tuple(each for each in list(vars().values()) if isinstance(each, Mutant))
