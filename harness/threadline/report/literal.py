"""Values as Python source: literals, variables for handles, and classes that can be imported."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum
from keyword import iskeyword
from typing import Any

from ..handle import Handle
from ..printable import quoted

WIDE = 96  # columns, above which a value takes a line for each of its items; our choice
INDENT = 4
BITS_MAX = 1000  # of an int in decimal: Python writes and reads no more than 4,300 digits
LITERALS = frozenset({str, bytes, bool, type(None)})


class NoSource(ValueError):
    """A value or a failure that plain Python source cannot say; says what to use instead."""


@dataclass(slots=True)
class Source:
    """Writes values as source text, and collects the imports that the text needs."""

    imports: dict[str, set[str]] = field(default_factory=dict)  # names by module

    def lines(self) -> list[str]:
        """Return the lines that import what was named so far."""
        return [
            f"from {module} import {', '.join(sorted(names))}"
            for module, names in sorted(self.imports.items())
        ]

    def named(self, found: object, module: str, name: str) -> str:
        """Return the name by which `found` can be called once it is imported.

        Raises NoSource where no import leads there, or another one of that name is imported.
        """
        is_plain = all(part.isidentifier() and not iskeyword(part) for part in module.split("."))
        if not (is_plain and name.isidentifier() and not iskeyword(name)):
            raise NoSource(f"{quoted(f'{module}:{name}')} cannot be imported by a plain name")
        if getattr(sys.modules.get(module), name, None) is not found:
            raise NoSource(f"{quoted(f'{module}:{name}')} is not at the top level of its file")
        taken = any(name in names for own, names in self.imports.items() if own != module)
        if taken:
            raise NoSource(f"two objects that have to be imported are called {name}")
        if module != "builtins":
            self.imports.setdefault(module, set()).add(name)
        return name

    def type_of(self, kind: Any) -> str:
        """Return the name of a class or a function once it is imported."""
        return self.named(kind, kind.__module__, kind.__qualname__)

    def text(self, value: object, column: int = 0, indent: int = 0) -> str:
        """Return a value as source, on several lines where it is too wide to begin at a column.

        Raises NoSource for a value that is no literal, no handle, no enum and no dataclass.
        """
        flat = self._flat(value)
        inner = indent + INDENT
        parts = self._parts(value, lambda item: self.text(item, inner, inner))
        if column + len(flat) <= WIDE or not parts:
            return flat
        ends = "{}" if type(value) is dict else "[]" if type(value) is list else "()"
        body = "".join(f"{' ' * inner}{part},\n" for part in parts)
        return f"{ends[0]}\n{body}{' ' * indent}{ends[1]}"

    def _parts(self, value: object, text: Callable[[object], str]) -> list[str]:
        if type(value) is dict:
            return [f"{text(key)}: {text(item)}" for key, item in value.items()]
        return [text(item) for item in value] if type(value) in (list, tuple) else []  # type: ignore[attr-defined]

    def _flat(self, value: object) -> str:
        kind, text = type(value), self._flat
        if kind is Handle:
            return variable(value)  # type: ignore[arg-type]  # it is one
        if kind in LITERALS:
            return repr(value)
        if type(value) is int:
            return hex(value) if value.bit_length() > BITS_MAX else repr(value)
        if type(value) is float:
            return repr(value) if math.isfinite(value) else f'float("{value}")'
        if kind is dict:
            return f"{{{', '.join(self._parts(value, text))}}}"
        if kind is list:
            return f"[{', '.join(self._parts(value, text))}]"
        if kind is tuple:
            parts = self._parts(value, text)
            return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"
        if kind is set or kind is frozenset:
            return self._set(kind.__name__, sorted(map(text, value)))  # type: ignore[call-overload]
        return self._object(value)

    def _set(self, kind: str, members: Iterable[str]) -> str:
        inside = ", ".join(members)
        whole = f"{{{inside}}}" if inside else ""
        return whole if whole and kind == "set" else f"{kind}({whole})"

    def _object(self, value: object) -> str:
        kind = type(value)
        if isinstance(value, Enum):
            return f"{self.type_of(kind)}[{value.name!r}]"
        if not is_dataclass(value):
            raise NoSource(f"a value of type {kind.__qualname__} cannot be written as source")
        given = [each for each in fields(value) if each.init]
        inside = ", ".join(f"{each.name}={self._flat(getattr(value, each.name))}" for each in given)
        return f"{self.type_of(kind)}({inside})"


def variable(handle: Handle) -> str:
    """Return the variable that a handle is in source."""
    text = str(handle)
    return text if text.isidentifier() and text.isascii() else f"handle_{handle.step}"
