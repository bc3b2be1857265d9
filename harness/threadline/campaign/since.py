"""What a change touches: the lines that differ from a revision, and the entries that reach them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .checkout import repository
from .entry import Entry
from .lines import from_ranges

HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
UNPLAYED = (".md", ".rst", ".txt", ".gitignore")  # no run reads these


@dataclass(frozen=True, slots=True)
class Changed:
    """The lines of each file that differ, by their numbers at the revision that was compared with.

    A file that is new has none.
    """

    files: Mapping[str, frozenset[int]] = field(default_factory=dict)

    def is_reached(self, lines: Mapping[str, str]) -> bool:
        """Return whether lines that ran, as ranges by file, are among those that were changed.

        A change between two lines counts for both. Where none of a file's changed lines ran in any
        run, as those of a class's body do when it is imported, the file alone decides.
        """
        return any(self._touches(file, ranges) for file, ranges in lines.items())

    def _touches(self, file: str, ranges: str) -> bool:
        changed = self.files.get(file)
        if changed is None:
            return False
        try:
            ran = from_ranges(ranges)
        except ValueError:  # a damaged file of the corpus
            return True
        return not changed.isdisjoint(ran)


def changed_since(revision: str) -> Changed:
    """Return what differs between a revision and the files as they are now.

    Paths are relative to the current folder, as those of lines that ran are. Raises BadRevision.
    """
    here = Path.cwd()
    of = repository(here)
    words = ("--relative", "--no-color", "--no-ext-diff", "--no-renames", "-U0")
    kept = of.git("diff", *words, of.sha(revision), "--", ".", folder=here)
    new = of.git("ls-files", "--others", "--exclude-standard", folder=here)
    files: dict[str, frozenset[int]] = {name: frozenset() for name in new.splitlines()}
    files.update(parsed(kept))
    return Changed({name: lines for name, lines in files.items() if not name.endswith(UNPLAYED)})


def parsed(diff: str) -> dict[str, frozenset[int]]:
    """Return the changed lines of each file of a diff without context, by their old numbers."""
    found: dict[str, set[int]] = {}
    name, before = "", ""
    for line in diff.splitlines():
        if line.startswith("--- "):
            before = line.removeprefix("--- ").removeprefix("a/")
        elif line.startswith("+++ "):
            after = line.removeprefix("+++ ").removeprefix("b/")
            name = before if after == "/dev/null" else after
            found.setdefault(name, set())
        elif (hunk := HUNK.match(line)) is not None:
            first, many = int(hunk[1]), int(hunk[2] or 1)
            # What is put between two lines changes what is done between them.
            found[name].update(range(first, first + many) if many else (first, first + 1))
    return {file: frozenset(lines) for file, lines in found.items()}


def touched(
    entries: Sequence[Entry], changed: Changed, nights: Sequence[Mapping[str, Any]]
) -> list[Entry]:
    """Return the entries whose runs reach what was changed, in the last night that knows of any.

    All of them where a changed file was reached by none, or no night knows what is reached.
    """
    if not changed.files:
        return []
    reached = next(filter(None, map(_reached, reversed(nights))), None)
    if reached is None:
        return list(entries)
    everywhere = {file for lines in reached.values() for file in lines}
    if not changed.files.keys() <= everywhere:
        return list(entries)
    for_all = {file for file in changed.files if not _ran(file, changed, reached.values())}
    return [
        entry
        for entry in entries
        if (lines := reached.get((entry.job.scenario, entry.job.driver))) is None
        or changed.is_reached(lines)
        or not for_all.isdisjoint(lines)
    ]


def _ran(file: str, changed: Changed, reached: Iterable[Mapping[str, str]]) -> bool:
    """Return whether any of a file's changed lines ran anywhere."""
    one = Changed({file: changed.files[file]})
    return any(map(one.is_reached, reached))


def _reached(night: Mapping[str, Any]) -> dict[tuple[str, str], Mapping[str, str]] | None:
    """Return the lines that each scenario has reached on each driver; None where that is unknown.

    A night's file may have been made by anybody.
    """
    listed = night.get("reached")
    if not isinstance(listed, list):
        return None
    found: dict[tuple[str, str], Mapping[str, str]] = {}
    for each in listed:
        if isinstance(each, dict) and isinstance(lines := each.get("lines"), dict) and lines:
            texts = {str(file): str(ranges) for file, ranges in lines.items()}
            found[str(each.get("scenario")), str(each.get("driver"))] = texts
    return found or None
