"""What an id, and the depth of a context, must be like."""

from __future__ import annotations

import re

from sessions.errors import InvalidContextError

ID_LENGTH_MAX = 256
DEPTH_MAX = 10
PLACEHOLDERS = frozenset({"none", "null", "undefined", "placeholder", "todo"})
# Category Cc is these two ranges and no more; a lone surrogate cannot be encoded as UTF-8.
FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def check_id(field: str, value: object) -> None:
    """Raise InvalidContextError unless value can be an id (the contract, Context).

    A good id is never changed: trimming and folding happen for the comparison with the
    placeholders only.
    """
    if not isinstance(value, str):
        raise InvalidContextError(field, value, "be a string")
    if not value.strip():
        raise InvalidContextError(field, value, "have a character that is not white space")
    if len(value) > ID_LENGTH_MAX:
        raise InvalidContextError(field, value, f"have at most {ID_LENGTH_MAX} characters")
    if FORBIDDEN.search(value):
        raise InvalidContextError(field, value, "have no control character and no lone surrogate")
    if value.strip().lower() in PLACEHOLDERS:
        raise InvalidContextError(field, value, "name somebody, not stand in for a name")


def check_optional_id(field: str, value: object) -> None:
    """Accept None and the empty string, which both mean "not given", and else check the id."""
    if value is not None and value != "":
        check_id(field, value)


def check_depth(depth: object) -> None:
    """Raise InvalidContextError unless depth is a whole number from 0 to DEPTH_MAX."""
    if isinstance(depth, bool) or not isinstance(depth, int) or not 0 <= depth <= DEPTH_MAX:
        rule = f"be a whole number from 0 to {DEPTH_MAX}"
        raise InvalidContextError("operation_depth", depth, rule)
