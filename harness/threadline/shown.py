"""A value as a reader sees it: the same text on any machine, whatever order its sets have."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from typing import Final

DEPTH_MAX = 40  # levels of a value that are shown; deeper ones would not be read
PLAIN = frozenset({str, int, bool, float, bytes, type(None)})
ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")


class _More:
    """Stands for what is left out."""

    def __repr__(self) -> str:
        return "..."


MORE: Final = _More()


def shown(value: object, depth: int = DEPTH_MAX) -> str:
    """Return what `repr` does, but members of sets in the order of their texts, and no addresses.

    What raises when it is asked for its text is named by its type.
    """
    kind = type(value)
    if depth == 0:
        return "..."
    if kind is list:
        return f"[{_joined(value, depth)}]"  # type: ignore[arg-type]  # it is iterable
    if kind is tuple:
        text = _joined(value, depth)  # type: ignore[arg-type]  # it is iterable
        return f"({text},)" if len(value) == 1 else f"({text})"  # type: ignore[arg-type]
    if kind is dict:
        return "{" + ", ".join(_entries(value, depth)) + "}"  # type: ignore[arg-type]
    if kind is set or kind is frozenset:
        return _members(value, depth)  # type: ignore[arg-type]
    if is_dataclass(value) and not isinstance(value, type) and "__repr__" in vars(kind):
        return _fields(value, depth)
    return _own_text(value)


def without_addresses(text: str) -> str:
    """Return a text with 0x... in place of each memory address, which differs in each process."""
    return ADDRESS.sub("0x...", text)


def _joined(values: Iterable[object], depth: int) -> str:
    return ", ".join(shown(value, depth - 1) for value in values)


def _entries(value: dict[object, object], depth: int) -> Iterable[str]:
    for key, item in value.items():
        if key is MORE:
            yield "..."
        else:
            yield f"{shown(key, depth - 1)}: {shown(item, depth - 1)}"


def _members(value: set[object] | frozenset[object], depth: int) -> str:
    members = ", ".join(sorted(shown(item, depth - 1) for item in value if item is not MORE))
    members += ", ..." if MORE in value else ""
    if type(value) is frozenset:
        return f"frozenset({{{members}}})" if value else "frozenset()"
    return f"{{{members}}}" if value else "set()"


def _fields(value: object, depth: int) -> str:
    """Return a dataclass as it shows itself, unless its text is its own."""
    made = getattr(type(value).__repr__, "__wrapped__", None)  # set by dataclasses alone
    if made is None or not is_dataclass(value):
        return _own_text(value)
    told = [field.name for field in fields(value) if field.repr]
    inside = ", ".join(f"{name}={shown(getattr(value, name), depth - 1)}" for name in told)
    return f"{type(value).__qualname__}({inside})"


def _own_text(value: object) -> str:
    if type(value) in PLAIN:
        try:
            return repr(value)
        except ValueError:  # an int of more digits than Python turns into text
            return f"<an int of {value.bit_length():,} bits>"  # type: ignore[attr-defined]
    try:
        return without_addresses(repr(value))
    except Exception as error:
        return f"<a {type(value).__name__} whose repr raises {type(error).__name__}>"
