"""What a context may carry beside its ids, by words: values that are made anew for each call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields, is_dataclass
from types import MappingProxyType
from typing import Any


def added(word: str) -> dict[object, object]:
    """Return what a context is given beside its ids."""
    values: dict[str, dict[object, object]] = {
        "nothing": {},
        "flat": {"a": 1, "b": "x", "c": None, "d": True, "e": 1.5, "f": b"y"},
        "list": {"a": ["b", ["c", ("d",)]]},
        "set": {"a": {"b"}, "c": frozenset({"d"})},
        "mapping": {"a": {"b": {"c": ["d"]}}, "e": MappingProxyType({"f": ["g"]})},
        "object": {"a": 1, "b": object()},
        "object in a list": {"a": ["b", [object()]]},
        "object in a set": {"a": {object()}},
        "object in a mapping": {"a": {"b": object()}},
        "a key that is no text": {"a": 1, 2: "b"},
        "an inner key that is no text": {"a": [{1: "b"}]},
    }
    return values[word]


FROZEN: dict[str, object] = {
    "nothing": MappingProxyType({}),
    "flat": MappingProxyType({"a": 1, "b": "x", "c": None, "d": True, "e": 1.5, "f": b"y"}),
    "list": MappingProxyType({"a": ("b", ("c", ("d",)))}),
    "set": MappingProxyType({"a": frozenset({"b"}), "c": frozenset({"d"})}),
    "mapping": MappingProxyType(
        {
            "a": MappingProxyType({"b": MappingProxyType({"c": ("d",)})}),
            "e": MappingProxyType({"f": ("g",)}),
        }
    ),
}


def described(value: object) -> object:
    """Return what a value is, to any depth, with what can be changed in it told from what cannot.

    A read-only mapping is told from one that can be changed, and a tuple from a list.
    """
    if isinstance(value, tuple | list):
        return [type(value).__name__, *map(described, value)]
    if isinstance(value, set | frozenset):
        return [type(value).__name__, *sorted(map(str, value))]
    if isinstance(value, Mapping):
        kind = "changeable" if isinstance(value, dict) else "read-only"
        return [kind, *([key, described(value[key])] for key in sorted(value))]
    return repr(value)


def spoil(value: Any) -> None:
    """Change all that can be changed in a value, to any depth."""
    if isinstance(value, Mapping):
        for each in list(value.values()):
            spoil(each)
        with _tried():
            value["more"] = "changed later"  # type: ignore[index]
    elif isinstance(value, tuple | list):
        for each in value:
            spoil(each)
        with _tried():
            value.append("changed later")  # type: ignore[union-attr]
    elif isinstance(value, set | frozenset):
        with _tried():
            value.add("changed later")  # type: ignore[union-attr]
    elif is_dataclass(value):
        for field in fields(value):
            spoil(getattr(value, field.name))
            with _tried():
                setattr(value, field.name, "changed later")


@contextmanager
def _tried() -> Iterator[None]:
    with suppress(TypeError, AttributeError):
        yield
