"""What a change touches: the mutants of functions of which a line differs from a revision."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..campaign.checkout import repository
from ..campaign.since import HUNK
from .edits import functions_of
from .mutants import Mutant, Source

EVERY = range(1, 10**9)  # lines of a file that is new


def changed_lines(revision: str) -> dict[Path, list[range]]:
    """Return the lines of each file that differ from a revision, by their numbers now.

    Where lines were taken out, those before and behind count. Raises BadRevision.
    """
    here = Path.cwd()
    of = repository(here)
    words = ("--relative", "--no-color", "--no-ext-diff", "--no-renames", "-U0")
    diff = of.git("diff", *words, of.sha(revision), "--", ".", folder=here)
    new = of.git("ls-files", "--others", "--exclude-standard", folder=here)
    found: dict[Path, list[range]] = {(here / name).resolve(): [EVERY] for name in new.splitlines()}
    lines: list[range] = []
    for line in diff.splitlines():
        if line.startswith("+++ "):
            name = line.removeprefix("+++ ").removeprefix("b/")
            lines = found.setdefault((here / name).resolve(), [])
        elif (hunk := HUNK.match(line)) is not None:
            first, many = int(hunk[3]), int(hunk[4] or 1)
            lines.append(range(first, first + many) if many else range(first, first + 2))
    return found


def of_changed(mutants: Sequence[Mutant], changed: Mapping[Path, Sequence[range]]) -> list[Mutant]:
    """Return the mutants of each function of which one of these lines is a part."""
    sources = {each.source.file: each.source for each in mutants}
    functions = {
        (file, name)
        for file, source in sources.items()
        if (lines := changed.get(Path(file).resolve()))
        for name in _touched(source, lines)
    }
    return [each for each in mutants if (each.source.file, each.edit.function) in functions]


def _touched(source: Source, lines: Sequence[range]) -> set[str]:
    """Return the names of the functions of which some of these lines are a part."""
    return {
        name
        for name, node in functions_of(ast.parse(source.text), "")
        for own in [range(node.lineno, (node.end_lineno or node.lineno) + 1)]
        if any(each.start < own.stop and own.start < each.stop for each in lines)
    }
