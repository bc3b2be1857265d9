"""What an id must be like (the contract, Context), and which texts are generated ids."""

from __future__ import annotations

import unicodedata
from typing import TypeAlias

from threadline import Handle, Refused

Id: TypeAlias = str | Handle
"""As given by a user, or minted by the system."""

Key: TypeAlias = tuple[str, Id]
"""Whose conversation, and which: sessions and managers both live under it."""

LENGTH_MAX = 256
DEPTH_MAX = 10
PURPOSE_LENGTH_MAX = 64
USER_PREFIX_LENGTH = 8
PLACEHOLDERS = frozenset({"none", "null", "undefined", "placeholder", "todo"})


def refused_ids(user: object, *optional: object) -> Refused | None:
    """Return the refusal of the first id that breaks a rule, if one does.

    The user is always needed; None and empty mean that an optional id was not given.
    """
    for value in (user, *(value for value in optional if value is not None and value != "")):
        rule = broken_rule(value)
        if rule:
            return Refused("invalid context", because=f"{value!r} {rule}")
    return None


def broken_rule(value: object) -> str:
    """Return the rule that an id breaks, or nothing if it breaks none."""
    if type(value) is Handle:
        return ""
    if not isinstance(value, str):
        return "is no string"
    if not value.strip():
        return "is blank"
    if len(value) > LENGTH_MAX:
        return f"has {len(value)} characters, limit {LENGTH_MAX}"
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
        return "has a control character or a lone surrogate"
    if value.strip().lower() in PLACEHOLDERS:
        return "is a placeholder"
    return ""


def made_ms(text: str) -> int | None:
    """Return when a generated id was made, in milliseconds of the epoch; None for other text.

    A generated id is prefix_ms_n or prefix_ms_n_hex; the last part of 13 digits is ms.
    """
    parts = text.split("_")
    for tail in (2, 3):  # of the two readings, the one whose ms is last
        if len(parts) > tail and _ends_an_id(parts[-tail:]):
            return int(parts[-tail])
    return None


def _ends_an_id(tail: list[str]) -> bool:
    ms, number, *random = tail
    return (
        len(ms) == 13
        and _is_of("0123456789", ms)
        and _is_of("0123456789", number)
        and all(_is_of("0123456789abcdef", digits) for digits in random)
    )


def _is_of(characters: str, text: str) -> bool:
    return bool(text) and all(character in characters for character in text)
