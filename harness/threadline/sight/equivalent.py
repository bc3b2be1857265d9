"""Equivalent mutants: those that nobody can tell from the system, as somebody has shown."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..loading import BadName
from .mutants import Mutant, Source

FILE = "equivalent.toml"
NEEDED = ("file", "old", "new", "reason")
FIELDS = (*NEEDED, "function")
EXAMPLE = 'file = "shop/cart.py"'


class BadEquivalent(BadName):
    """A file of equivalent mutants is not as it should be; says which entry, and what to write."""


@dataclass(frozen=True, slots=True)
class Equivalent:
    """A change of a line of a file that makes no difference, and why.

    `function` says in which, by its qualified name, where several have that line.
    """

    file: str
    old: str
    new: str
    reason: str
    function: str = ""

    def is_of(self, mutant: Mutant) -> bool:
        """Return whether this is about a mutant; in which line it stands does not matter."""
        own = mutant.source.shown, mutant.old, mutant.new
        is_there = self.function in ("", mutant.edit.function)
        return is_there and own == (self.file, self.old, self.new)


def read_equivalents(path: Path) -> list[Equivalent]:
    """Return the entries of a file, none if there is no such file; raises BadEquivalent."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise BadEquivalent(f"{path} cannot be read: {error}") from error
    entries = content.pop("equivalent", [])
    if content or not isinstance(entries, list):
        other = ", ".join(content) or "equivalent"
        raise BadEquivalent(f"{path} has {other}; write each mutant under [[equivalent]]")
    return [_entry(f"{path}: entry {number}", each) for number, each in enumerate(entries, 1)]


def _entry(where: str, entry: Any) -> Equivalent:
    if not isinstance(entry, dict):
        raise BadEquivalent(f"{where} is {entry!r}; write it under [[equivalent]]")
    if unknown := [name for name in entry if name not in FIELDS]:
        raise BadEquivalent(f"{where} has {unknown[0]!r}; it can have {', '.join(FIELDS)}")
    for name in [*NEEDED, *(each for each in entry if each not in NEEDED)]:
        value = entry.get(name)
        if not isinstance(value, str) or not value.strip():
            raise BadEquivalent(f"{where}: {name} is {value!r}; write a text, as in {EXAMPLE}")
    return Equivalent(**{name: " ".join(value.split()) for name, value in entry.items()})


def reasons_for(
    entries: Sequence[Equivalent], mutants: Sequence[Mutant], sources: Sequence[Source]
) -> dict[int, str]:
    """Return why which mutants are equivalent, by their numbers.

    Entries of other files are not looked at. Raises BadEquivalent for one whose line is gone, or is
    not changed so any more: what was shown of it need not hold for what is there now. So it does
    for one that several functions have.
    """
    files = {source.shown: source for source in sources}
    found: dict[int, str] = {}
    for entry in entries:
        if (source := files.get(entry.file)) is None:
            if not Path(entry.file).is_file():
                raise BadEquivalent(f"{FILE}: there is no file {entry.file}; remove its entries")
            continue
        own = [each for each in mutants if entry.is_of(each)]
        if not own:
            raise BadEquivalent(_why_none(entry, source))
        if len(functions := sorted({each.edit.function for each in own})) > 1:
            raise BadEquivalent(
                f"{FILE}: the line {entry.old!r} of {entry.file} is in {' and '.join(functions)}; "
                f"say of which you have shown it, as in function = {functions[0]!r}"
            )
        found.update(dict.fromkeys([each.number for each in own], entry.reason))
    return found


def _why_none(entry: Equivalent, source: Source) -> str:
    is_there = entry.old in " ".join(source.text.split())
    where = f" in {entry.function}" if entry.function else ""
    what = f"is not changed to {entry.new!r} by any mutant{where}" if is_there else "is gone"
    return (
        f"{FILE}: the line {entry.old!r} of {entry.file} {what}; remove the entry, or look at the "
        "line again"
    )
