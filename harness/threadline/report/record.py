"""A record of a campaign: what run.json holds, for the page, the summary and whoever compares."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from ..printable import quoted
from ..shown import shown

SCHEMA = 1
NUMBER_MAX = 2**63  # of any sign; far above what is counted
FILE = "run.json"
# Up to the first line with a label, such as "  model:".
HEAD = re.compile(r"(?:(?!\n +[a-z]+:).)*? diverges at\s+step \d+", re.DOTALL)


class BadRecord(ValueError):
    """A run.json cannot be read; says what is wrong with it, and what was expected."""


@dataclass(frozen=True, slots=True)
class FailureRecord:
    """A failure: its signature, where it came, and its trace.

    status: "new", or "before" for one that was there before the change under test.
    trace: its file, relative to run.json; "" where it could not be written, and then `lines` is all
    there is. text: the failure as a terminal shows it. play: its steps as data, for a diagram.
    found_s: seconds into the campaign. doubt: why it does not stand for its signature, as in "by
    chance". also: signatures of the same bug, whose traces are longer. since: when it came
    first, in the campaigns that the corpus remembers; "" for the first time.
    """

    signature: str
    scenario: str
    driver: str
    status: str
    trace: str
    lines: str
    text: str
    replay: str = ""
    play: Mapping[str, Any] = field(default_factory=dict)
    runs: int = 0
    steps: int = 0
    replays: int = 0
    found_s: float = 0.0
    doubt: str = ""
    also: tuple[str, ...] = ()
    since: str = ""

    @property
    def head(self) -> str:
        """Return what the text begins with, in one line: a terminal may have folded it."""
        found = HEAD.match(self.text)
        return " ".join(found[0].split()) if found else self.text.partition("\n")[0]


@dataclass(frozen=True, slots=True)
class ScenarioRecord:
    """What a scenario has played on a driver, and what of its behaviour was reached.

    operations: of each operation, how often each outcome came ("ok", "refused: full"); one that was
    never played has none. states, transitions: shapes of the model's state, and pairs of an
    operation and the state it led to, that were reached. lines: of each file of the project, the
    lines that were run, as in "1-5,9". unused: a sentence for each rule that never fired. unmet:
    goals that no run has met. never: operations that were never reached. seconds: processor time
    given to it, over all workers. is_unreached: the time was over before it could take a step,
    which says nothing of the system.
    """

    name: str
    driver: str
    runs: int = 0
    steps: int = 0
    seconds: float = 0.0
    slices: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)
    known: Mapping[str, int] = field(default_factory=dict)
    operations: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    states: int = 0
    transitions: int = 0
    new_states: int = 0
    lines: Mapping[str, str] = field(default_factory=dict)
    unused: tuple[str, ...] = ()
    unmet: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    note: str = ""
    is_unreached: bool = False

    @property
    def line_count(self) -> int:
        """How many lines of the project it has run; a range that is none counts nothing."""
        spans = (span for ranges in self.lines.values() for span in ranges.split(","))
        ends = (span.partition("-") for span in spans)
        return sum(
            int(last or first) - int(first) + 1
            for first, _, last in ends
            if first.isdecimal() and (last or first).isdecimal() and len(first + last) < 20
        )


@dataclass(frozen=True, slots=True)
class KnownRecord:
    """An entry of known.toml that was in force; `came` is "" where its trace agrees now.

    state: "known", "fixed", "not seen", "fails otherwise" or "expired".
    """

    signature: str
    driver: str
    reason: str
    state: str
    link: str = ""
    until: str = ""
    trace: str = ""
    came: str = ""
    runs: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """The campaign at one moment: seconds since its begin, steps so far, MiB of each worker."""

    at_s: float
    steps: int
    runs: int
    states: int
    memory_mib: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Night:
    """One earlier campaign in few numbers, as the corpus keeps it for the trend."""

    name: str
    began: str
    new: int
    known: int
    fixed: int
    steps: int
    runs: int
    states: int
    lines: int
    took_s: float = 0.0
    signatures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CorpusRecord:
    """What the corpus gave and took: traces replayed, kept, dropped, and set aside with a reason.

    fixed: signatures of failing traces that agree now.
    """

    folder: str = ""
    failures: int = 0
    behaviour: int = 0
    replayed: int = 0
    added: int = 0
    dropped: int = 0
    fixed: tuple[str, ...] = ()
    aside: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """A whole campaign.

    began: UTC, as in "2026-11-26T02:00:00Z". ended: "time over", "all played", "interrupted" or
    "broken". budget_s: None where runs, not time, ended it. exit: the exit status; verdict: one
    sentence. trend: earlier nights, oldest first, at most 30.
    """

    name: str
    command: str
    version: str
    seed: int
    engine: str
    began: str
    took_s: float
    ended: str
    exit: int
    verdict: str
    workers: int = 1
    budget_s: float | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    scenarios: tuple[ScenarioRecord, ...] = ()
    failures: tuple[FailureRecord, ...] = ()
    known: tuple[KnownRecord, ...] = ()
    samples: tuple[Sample, ...] = ()
    trend: tuple[Night, ...] = ()
    corpus: CorpusRecord = field(default_factory=CorpusRecord)
    notes: tuple[str, ...] = ()

    @property
    def steps(self) -> int:
        return sum(each.steps for each in self.scenarios)

    @property
    def runs(self) -> int:
        return sum(each.runs for each in self.scenarios)

    def as_night(self) -> Night:
        """Return the campaign in few numbers, as later ones remember it."""
        return Night(
            self.name,
            self.began,
            new=len([each for each in self.failures if each.status == "new"]),
            known=len([each for each in self.known if each.state == "known"]),
            fixed=len(self.corpus.fixed),
            steps=self.steps,
            runs=self.runs,
            states=sum(each.states for each in self.scenarios),
            lines=sum(each.line_count for each in self.scenarios),
            took_s=self.took_s,
            signatures=tuple(sorted({each.signature for each in self.failures})),
        )

    def encoded(self) -> str:
        """Return the record as JSON, indented, with its schema's version first."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1) + "\n"


def read_record(path: Path) -> Record:
    """Read a run.json, or the one in a folder. Fields that this version does not know are left out.

    Raises BadRecord.
    """
    file = path / FILE if path.is_dir() else path
    try:
        values = json.loads(file.read_text("utf-8"), parse_constant=_no_number)
    except (OSError, ValueError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise BadRecord(
            f"{file} cannot be read: {why}; give the folder of a campaign, as in "
            f"reports/runs/<utc>-<seed>, or its {FILE}"
        ) from error
    if not isinstance(values, dict) or not isinstance(values.get("schema"), int):
        raise BadRecord(f"{file} is no record of a campaign; give the folder of one, or its {FILE}")
    if values["schema"] > SCHEMA:
        raise BadRecord(
            f"{file} has schema {values['schema']}, and this threadline reads up to {SCHEMA}"
        )
    try:
        record: Record = _made(Record, values, FILE)
    except TypeError as error:
        raise BadRecord(f"{file} is no record of a campaign: {error}") from error
    return record


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number here")


def _made(kind: Any, value: Any, where: str) -> Any:
    """Return a value of JSON as this type: objects as their classes, lists as tuples.

    Raises TypeError for a value of another type, and for a field that is missing.
    """
    if is_dataclass(kind):
        _check(isinstance(value, dict), where, value, "an object")
        hints = get_type_hints(kind)
        given = {
            each.name: _made(hints[each.name], value[each.name], f"{where}: {each.name}")
            for each in fields(kind)
            if each.name in value
        }
        return kind(**given)  # type: ignore[operator]  # it is a class
    origin, inside = get_origin(kind), get_args(kind)
    if origin is tuple:
        _check(isinstance(value, list), where, value, "a list")
        return tuple(_made(inside[0], item, where) for item in value)
    if origin is Mapping:
        _check(isinstance(value, dict), where, value, "an object")
        return {key: _made(inside[1], item, where) for key, item in value.items()}
    if origin is UnionType:
        return None if value is None else _made(inside[0], value, where)
    if kind in (int, float):
        is_number = isinstance(value, int if kind is int else (int, float))
        is_fit = is_number and not isinstance(value, bool) and abs(value) <= NUMBER_MAX
        _check(is_fit, where, value, "a number")
    if kind is bool:
        _check(isinstance(value, bool), where, value, "true or false")
    if kind is str:
        _check(isinstance(value, str), where, value, "a text")
    return value


def _check(is_fit: bool, where: str, value: object, expected: str) -> None:
    if not is_fit:
        raise TypeError(f"{where} is {quoted(shown(value))}, where {expected} is expected")
