"""Results that are stored: what came of mutants before, while what decides it is the same."""

from __future__ import annotations

import ast
import hashlib
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from ..json_lines import BadTrace, json_object, lines_of
from ..loading import BadName
from ..printable import printable
from ..trace import versions
from ..whole_file import write_whole
from .edits import Places, functions_of
from .mutants import INSTALLED, OURS, Mutant, Source
from .verdict import DETECTED, SURVIVED, Plan, Verdict

FILE = Path("reports/sight.jsonl")
Asked: TypeAlias = Sequence[tuple[int, Sequence[str]]]
KEPT = (*DETECTED, SURVIVED)  # what can have come of a mutant that was tried to the end
KEPT_MAX = 100_000  # of results in a file, the newest; our choice


@dataclass(slots=True)
class Results:
    """What came of mutants before, by what decides it, and what comes of them now.

    That is the function that is changed, what its files have outside of functions, every file of
    this project beside the system's own, as scenarios, models and drivers are, the harness, the
    corpus, which scenarios reach it in what order, and the plan. A change in another function of
    the system is not seen, unless it changes that.
    """

    plan: Plan
    sources: Sequence[Source]
    mutants: Sequence[Mutant]
    path: Path = FILE
    trouble: str = ""
    _known: dict[str, Verdict] = field(default_factory=dict)
    _new: dict[str, Verdict] = field(default_factory=dict)
    _beside: str = ""
    _functions: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._functions = {each.file: functions_in(each.text) for each in self.sources}
        self._beside = _digest(self._around())
        self._known = read_results(self.path)

    def known(self, asked: Asked) -> dict[int, Verdict]:
        """Return what is known of mutants, each given by its number and its scenarios."""
        keys = {number: self._key(number, scenarios) for number, scenarios in asked}
        return {
            number: replace(self._known[key], number=number)
            for number, key in keys.items()
            if key in self._known
        }

    def add(self, asked: Asked, verdicts: Mapping[int, Verdict]) -> None:
        """Keep what came of those that were tried to the end; `trouble` says why it could not."""
        for number, scenarios in asked:
            verdict = verdicts.get(number)
            if verdict is not None and self._is_whole(verdict):
                self._new[self._key(number, scenarios)] = verdict
        self._save()

    def _is_whole(self, verdict: Verdict) -> bool:
        """Return whether a mutant was seen, or has had all of its runs."""
        is_over = verdict.status == SURVIVED and verdict.seconds < self.plan.whole_s
        return verdict.status in DETECTED or is_over

    def _save(self) -> None:
        """Write what is known now, beside what another command has written."""
        try:
            all_known = list({**read_results(self.path), **self._new}.items())[-KEPT_MAX:]
            lines = [json.dumps({"key": key, **asdict(verdict)}) for key, verdict in all_known]
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self.path, "".join(f"{line}\n" for line in lines).encode("ascii"))
        except (OSError, BadName) as error:
            self.trouble = f"{self.path} cannot be written: {error}; the results are not kept"

    def _key(self, number: int, scenarios: Sequence[str]) -> str:
        mutant = self.mutants[number - 1]
        text, edit = mutant.source.text, mutant.edit
        places = self._functions[mutant.source.file]
        start, end = next(place for place in places if place[0] <= edit.start < place[1])
        function = mutant.source.shown, edit.function, text[start:end]
        change = edit.start - start, edit.end - start, edit.new
        return _digest([self._beside, json.dumps([*function, *change, list(scenarios)])])

    def _around(self) -> Iterable[str]:
        yield json.dumps([versions(), {**asdict(self.plan), "scenarios": []}])
        for each in self.sources:
            yield outside(each.text, self._functions[each.file])
        system = {each.file for each in self.sources}
        own = {file for file in _own_files() if str(file) not in system}
        stored = Path(self.plan.corpus).rglob("*.jsonl") if self.plan.corpus else ()
        for file in sorted({*own, *OURS.rglob("*.py"), *stored}):
            yield f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}"


def functions_in(text: str) -> list[tuple[int, int]]:
    """Return where functions begin and end that stand in no other, in characters of a source."""
    places = Places(text)
    nodes = [function for _, function in functions_of(ast.parse(text), "")]
    lines = [(node.lineno, (node.end_lineno or node.lineno) + 1) for node in nodes]
    return [(places.at(first, 0), places.at(after, 0)) for first, after in lines]


def outside(text: str, places: Sequence[tuple[int, int]]) -> str:
    """Return what a source has outside of these places."""
    ends = [0, *(end for _, end in places)]
    begins = [*(start for start, _ in places), len(text)]
    return "".join(text[end:begin] for end, begin in zip(ends, begins, strict=True))


def read_results(path: Path) -> dict[str, Verdict]:
    """Return the results of a file by their keys; none if there is no such file.

    Raises BadName for a file that is none of results.
    """
    if not path.exists():
        return {}
    found = {}
    try:
        for number, line in enumerate(filter(None, lines_of(path)), 1):
            entry = json_object(f"{path}:{number}", line)
            key = str(entry.pop("key", ""))
            found[key] = _verdict(entry)
    except (BadTrace, TypeError) as error:
        raise BadName(
            f"{path} cannot be used: {printable(str(error))}; remove it, and all is tried again"
        ) from error
    return found


def _verdict(entry: Mapping[str, Any]) -> Verdict:
    """Return a verdict; raises TypeError for other fields, or a field of another type."""
    verdict = Verdict(**entry)
    for name, value in asdict(verdict).items():
        kind = type(getattr(PLAIN, name))
        if not isinstance(value, (kind, int) if kind is float else kind):
            raise TypeError(f"{name} is {value!r}, and not of {kind.__name__}")
    if verdict.status not in KEPT:
        raise TypeError(f"status is {verdict.status!r}, and none of {', '.join(KEPT)}")
    return verdict


PLAIN = Verdict(0, "")


def _own_files() -> set[Path]:
    """Return the files of what is imported from below the current folder, and not installed."""
    files = {Path(file) for each in [*sys.modules.values()] if (file := _file_of(each))}
    here = Path.cwd()
    return {
        file
        for file in files
        if file.is_relative_to(here) and INSTALLED.isdisjoint(file.parts) and file.is_file()
    }


def _file_of(module: object) -> str:
    file = getattr(module, "__file__", None)
    return file if isinstance(file, str) else ""


def _digest(parts: Iterable[str]) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(f"{len(part)}:{part}".encode())
    return found.hexdigest()
