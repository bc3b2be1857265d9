"""What differs between two values: the place, and only as much around it as a reader needs."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from typing import TypeAlias

from .handle import Handle
from .outcome import Crashed, Hung, Ok, Refused
from .shown import MORE, shown

Way: TypeAlias = tuple[object, ...]
"""The keys and places that lead from a value down to one in it."""

CUT = 200  # characters of a text that are shown, around the first that differs
ITEMS_MAX = 8  # items of a container that are shown where none of them is like the other side's
FIELDS_MAX = 3  # names of fields in a signature
TOLD = "told"
ENDED = "the process ended"  # how the error of a step begins that took its process with it
# The type of an error as `crashed` writes it, whether it was raised or ended a task.
ERROR = re.compile(r"(?:error in (?:task \S+|a callback): )?([A-Za-z_]\w*)(?::|$)", re.ASCII)


def first_difference(expected: object, actual: object) -> Way | None:
    """Return the way to the first place where two values differ, or None where they do not.

    Types count (1 is not True); lists and tuples are both sequences. The places are the model's
    first, then what only the system has, in the order of their texts.
    """
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        return _first_key(expected, actual)
    if _is_sequence(expected) and _is_sequence(actual):
        return _first_item(expected, actual)  # type: ignore[arg-type]  # looked at just now
    return None if type(expected) is type(actual) and expected == actual else ()


def outcome_difference(expected: object, actual: object) -> Way | None:
    """Return the way to what differs first in two outcomes; TOLD is at its head if it is there.

    Empty where they are not of one kind, or have other reasons or warnings.
    """
    if not _are_alike(expected, actual):
        return ()
    if isinstance(expected, Ok) and isinstance(actual, Ok):
        way = first_difference(expected.value, actual.value)
        if way is not None:
            return way
    if isinstance(expected, (Ok, Refused)) and isinstance(actual, (Ok, Refused)):
        way = first_difference(expected.told or {}, actual.told or {})
        return None if way is None else (TOLD, *way)
    return None


def where(of: str, expected: object, actual: object, given: Container[object] = ()) -> str:
    """Return the third part of a signature: which field, part, invariant or error it is about.

    `given` are the texts that the trace gave as arguments. These, handles and positions in a list
    are data, not names of fields; they must neither tell two bugs apart nor split one.
    """
    kind, _, name = of.partition(" ")
    if kind != "outcome":
        return _safe(name or kind)
    if isinstance(actual, Crashed):
        return _error(actual)
    if isinstance(actual, Hung):
        return "hung"
    if type(expected) is not type(actual):
        return type(actual).__name__.lower()
    if getattr(expected, "reason", "") != getattr(actual, "reason", ""):
        return "reason"
    if getattr(expected, "warnings", ()) != getattr(actual, "warnings", ()):
        return "warning"
    if isinstance(expected, Refused) and isinstance(actual, Refused) and expected.unsaid(actual):
        return "text"
    way = outcome_difference(expected, actual) or ()
    first = way[:1] if way[:1] == (TOLD,) else ()
    rest = way[2:] if first else way  # who was told is no field either
    return ".".join([*map(str, first), *_fields(rest, given)])


def way_text(way: Way) -> str:
    """Return a way as code writes it: run, [2].text, told['ana'][0]."""
    text = ""
    for step in way:
        if isinstance(step, int):
            text += f"[{step}]"
        elif isinstance(step, str) and step.isidentifier():
            text += f".{step}" if text else step
        else:
            text += f"[{shown(step)}]"
    return text


def pruned(expected: object, actual: object) -> tuple[object, object]:
    """Return two values with only what differs, and the way to it; MORE stands for the rest."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return _pruned_entries(expected, actual)
    if _is_sequence(expected) and _is_sequence(actual):
        return _pruned_items(expected, actual)  # type: ignore[arg-type]  # looked at just now
    if isinstance(expected, (set, frozenset)) and isinstance(actual, (set, frozenset)):
        more = {MORE} if expected & actual else set()
        return {*expected - actual, *more}, {*actual - expected, *more}
    if type(expected) is str and type(actual) is str:
        return _cut(expected, actual), _cut(actual, expected)
    return trimmed(expected), trimmed(actual)


def trimmed(value: object) -> object:
    """Return a value whose texts and containers are cut to what is shown of them at most."""
    if type(value) is str:
        return value if len(value) <= CUT else f"{value[:CUT]}..."
    if _is_sequence(value):
        items = [trimmed(item) for item in value[:ITEMS_MAX]]  # type: ignore[index]
        shows = [*items, MORE] if len(value) > ITEMS_MAX else items  # type: ignore[arg-type]
        return tuple(shows) if isinstance(value, tuple) else shows
    if isinstance(value, dict):
        entries = {key: trimmed(item) for key, item in list(value.items())[:ITEMS_MAX]}
        return {**entries, MORE: MORE} if len(value) > ITEMS_MAX else entries
    return value


def _first_key(expected: Mapping[object, object], actual: Mapping[object, object]) -> Way | None:
    for key, value in expected.items():
        if key not in actual:
            return (key,)
        way = first_difference(value, actual[key])
        if way is not None:
            return (key, *way)
    surplus = sorted((key for key in actual if key not in expected), key=shown)
    return (surplus[0],) if surplus else None


def _first_item(expected: Sequence[object], actual: Sequence[object]) -> Way | None:
    for place, (one, other) in enumerate(zip(expected, actual, strict=False)):
        way = first_difference(one, other)
        if way is not None:
            return (place, *way)
    return None if len(expected) == len(actual) else (min(len(expected), len(actual)),)


def _pruned_entries(
    expected: dict[object, object], actual: dict[object, object]
) -> tuple[object, object]:
    wanted: dict[object, object] = {}
    shows: dict[object, object] = {}
    for key, value in expected.items():
        if key not in actual:
            wanted[key] = trimmed(value)
        elif first_difference(value, actual[key]) is not None:
            wanted[key], shows[key] = pruned(value, actual[key])
    shows |= {key: trimmed(value) for key, value in actual.items() if key not in expected}
    if len(wanted) < len(expected):
        wanted[MORE] = MORE
    if len(shows) < len(actual):
        shows[MORE] = MORE
    return wanted, shows


def _pruned_items(
    expected: Sequence[object], actual: Sequence[object]
) -> tuple[list[object], list[object]]:
    """Leave out what both begin and end with."""
    begin = _alike(expected, actual)
    end = min(_alike(expected[::-1], actual[::-1]), min(len(expected), len(actual)) - begin)
    one, other = expected[begin : len(expected) - end], actual[begin : len(actual) - end]
    if len(one) == len(other) <= ITEMS_MAX:
        pairs = [pruned(*pair) for pair in zip(one, other, strict=True)]
        one, other = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    else:
        one, other = _listed(one), _listed(other)
    before, after = [MORE] * bool(begin), [MORE] * bool(end)
    return [*before, *one, *after], [*before, *other, *after]


def _listed(items: Sequence[object]) -> Sequence[object]:
    found = trimmed(items)
    return found if isinstance(found, (list, tuple)) else items


def _alike(expected: Sequence[object], actual: Sequence[object]) -> int:
    """Return how many items two sequences begin with alike."""
    place = 0
    for one, other in zip(expected, actual, strict=False):
        if first_difference(one, other) is not None:
            break
        place += 1
    return place


def _cut(text: str, other: str) -> str:
    """Return a text without what is far from where it begins to differ from another."""
    if len(text) <= CUT:
        return text
    differs = next((n for n, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), None)
    at = min(len(text), len(other)) if differs is None else differs
    start = max(0, min(at - CUT // 2, len(text) - CUT))
    end = start + CUT
    return f"{'...' * (start > 0)}{text[start:end]}{'...' * (end < len(text))}"


def _are_alike(expected: object, actual: object) -> bool:
    return (
        type(expected) is type(actual)
        and getattr(expected, "reason", "") == getattr(actual, "reason", "")
        and getattr(expected, "warnings", ()) == getattr(actual, "warnings", ())
    )


def _fields(way: Way, given: Container[object]) -> list[str]:
    names = [step for step in way if isinstance(step, str) and step.isidentifier()]
    return [_safe(name) for name in names if name not in given][:FIELDS_MAX]


def _error(crash: Crashed) -> str:
    """Return the type of what was raised; "ended" where the process was."""
    found = ERROR.match(crash.error)
    return "ended" if crash.error.startswith(ENDED) else found[1] if found else "error"


def _safe(text: str) -> str:
    """Return a name that may stand in a signature, and so in the name of a file."""
    return re.sub(r"[^A-Za-z0-9_.\[\]*-]+", "_", text)


def _is_sequence(value: object) -> bool:
    return isinstance(value, (list, tuple)) and type(value) is not Handle
