"""Failures that are one bug, seen otherwise: minimised traces that differ in the last step."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..campaign.events import Found, Shorter


@dataclass(slots=True)
class Bug:
    """The failure that leads, and those that are told beside it as "also seen as"."""

    leads: Found | Shorter
    also: list[Shorter] = field(default_factory=list)


def bugs(found: Iterable[Found | Shorter]) -> list[Bug]:
    """Return the failures by the bugs that they seem to be, the shortest text of a trace first.

    One that fails by chance, or in its first step, is a bug of its own: what traces without a
    common beginning have in common is nothing.
    """
    known: dict[object, Bug] = {}
    for number, one in enumerate(found):
        beginning = _beginning(one) or number
        if beginning not in known:
            known[beginning] = Bug(one)
        elif isinstance(one, Shorter):
            bug = known[beginning]
            if isinstance(bug.leads, Shorter) and len(one.lines) < len(bug.leads.lines):
                bug.leads, one = one, bug.leads
            bug.also.append(one)
    return list(known.values())


def _beginning(one: Found | Shorter) -> object:
    """Return the settings of a minimised trace and its steps but the last; None if it has none."""
    header, *steps = one.lines.splitlines()
    if not isinstance(one, Shorter) or one.doubt or not one.replays or len(steps) < 2:
        return None
    values: Mapping[str, object] = json.loads(header)
    return json.dumps([values.get("settings"), values.get("driver"), *steps[:-1]])
