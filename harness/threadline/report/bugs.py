"""Bugs: failures that are faces of one, as far as minimised traces can tell."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..campaign.events import Found, Shorter


@dataclass(slots=True)
class Bug:
    """The failure that leads, and those that are listed beside it as "also seen as"."""

    leads: Found | Shorter
    also: list[Shorter] = field(default_factory=list)


def bugs(found: Iterable[Found | Shorter]) -> list[Bug]:
    """Return the failures grouped by bug, as far as that can be told: the shortest trace leads.

    One that fails by chance, or in its first step, is a bug of its own: traces without a common
    beginning prove nothing in common.
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
    """Return what a minimised trace does before its last step, under which settings.

    None if that is nothing. What users do who have nothing in common may stand in any order.
    """
    header, *steps = one.lines.splitlines()
    if not isinstance(one, Shorter) or one.doubt or not one.replays or len(steps) < 2:
        return None
    values: Mapping[str, object] = json.loads(header)
    stories = sorted(_stories([json.loads(step) for step in steps[:-1]]))
    return json.dumps([values.get("settings"), values.get("driver"), stories])


def _stories(steps: list[dict[str, Any]]) -> Iterator[list[str]]:
    """Yield the steps in groups that share no value and no handle, each in its order.

    A step stands there without its number, and a handle is the text of the step that made it.
    """
    texts: dict[int, str] = {}
    groups: list[tuple[set[str], list[str]]] = []
    for step in steps:
        number, values = step.pop("step"), set[str]()
        text = json.dumps(_told(step, number, texts, values), sort_keys=True)
        texts[number] = text
        values.add(text)
        joined = sorted((each for each in groups if values & each[0]), key=lambda each: each[1])
        groups = [group for group in groups if group not in joined]
        groups.append(
            (
                values.union(*(group[0] for group in joined)),
                [*(each for group in joined for each in group[1]), text],
            )
        )
    yield from (each for _, each in groups)


def _told(value: Any, number: int, texts: Mapping[int, str], values: set[str]) -> Any:
    """Return a value with handles as the steps that made them, and without the step's own number,
    as texts have it that are new in each step; what ties it to other steps goes to `values`.
    """
    if isinstance(value, dict):
        if isinstance(handle := value.get("handle"), str) and len(value) == 1:
            made = texts.get(int(handle.rpartition("_")[2]), handle)
            values.add(made)
            return [made]
        return {
            key: each if key == "operation" else _told(each, number, texts, values)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [_told(each, number, texts, values) for each in value]
    if not isinstance(value, str):
        return value
    values.add(value)
    return re.sub(rf"(?<!\d){number}(?!\d)", "#", value)
