"""Read the parts of a generated id."""

from __future__ import annotations

import re
from dataclasses import dataclass

# The prefix is greedy: it may itself hold parts that look like a time, and the last one counts.
FORM = re.compile(
    r"(?P<prefix>.*)_(?P<ms>[0-9]{13})_(?P<number>[0-9]+)(?:_(?P<random>[0-9a-f]+))?", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class ParsedId:
    """The parts of one id; ms is when it was made, in milliseconds since the epoch."""

    prefix: str
    ms: int
    number: int
    random: str | None


def parsed(text: object) -> ParsedId | None:
    """Return the parts of an id of the generator's form, or None for anything else."""
    found = FORM.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    return ParsedId(found["prefix"], int(found["ms"]), int(found["number"]), found["random"])
