"""Keeps what a campaign tells, for its record."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from os.path import relpath
from pathlib import Path
from typing import Any

from ..allowed import driver_to_give
from ..campaign.corpus import Corpus, seen_in
from ..campaign.entry import Entry
from ..campaign.events import Event, Found, Shorter
from ..campaign.lines import as_ranges
from ..campaign.night import Night as Campaign
from ..campaign.vacuous import is_vacuous
from ..failure import replay_command
from ..history import count
from ..known import Known
from ..trace import is_signature_of
from .bugs import bugs
from .known_text import KnownText
from .record import (
    CorpusRecord,
    FailureRecord,
    KnownRecord,
    Night,
    Record,
    Sample,
    ScenarioRecord,
)

SAMPLES_MAX = 240  # over a campaign; as many as a plot has room for
SAMPLE_S = 1.0
TREND_MAX = 30  # nights


@dataclass(slots=True)
class Keeper:
    """Keeps samples and the moments of failures while a campaign runs, and makes its record.

    `facts` are the fields of the record that are known from the start. `before` are the failures
    that were there before the change under test.
    """

    entries: Sequence[Entry]
    facts: Mapping[str, Any]
    folder: Path
    budget_s: float | None = None
    began_s: float = field(default_factory=time.monotonic)
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    samples: list[Sample] = field(default_factory=list)
    before: set[tuple[str, str]] = field(default_factory=set)  # names of entries, signatures
    _found_s: dict[tuple[str, str], float] = field(default_factory=dict)
    _due_s: float = 0.0
    _every_s: float = SAMPLE_S

    def hear(self, entry: Entry, event: Event) -> None:
        """Note when a failure was found."""
        if isinstance(event, Found):
            self._found_s.setdefault((entry.name, event.signature), self._now_s())

    def tick(self) -> None:
        """Take a sample, if one is due; where there are many by now, every other is dropped."""
        now_s = self._now_s()
        if now_s < self._due_s:
            return
        self._due_s = now_s + self._every_s
        running = [(entry, part) for entry in self.entries for part in entry.running]
        held = {
            f"{entry.name}{part.job.suffix.removeprefix(entry.job.suffix)}": round(part.held_mib, 1)
            for entry, part in running
            if part.held_mib
        }
        steps = sum(entry.steps for entry in self.entries)
        runs = sum(entry.runs for entry in self.entries)
        states = sum(len(entry.states) for entry in self.entries)
        self.samples.append(Sample(round(now_s, 1), steps, runs, states, held))
        if len(self.samples) > SAMPLES_MAX:
            self.samples = self.samples[::2]
            self._every_s *= 2

    def record(self, night: Campaign, known: KnownText, status: int) -> Record:
        """Return the record of a campaign that is over, with this exit status."""
        corpus = night.plan.corpus
        nights = corpus.nights() if corpus else []
        failures = [each for entry in self.entries for each in self._failures(entry, nights)]
        ended = "interrupted" if night.is_interrupted else self._ended()
        return Record(
            **self.facts,
            began=self.began.strftime("%Y-%m-%dT%H:%M:%SZ"),
            took_s=round(self._now_s(), 1),
            ended=ended,
            exit=status,
            verdict=verdict_of(failures, self.entries, ended),
            workers=night.plan.workers,
            budget_s=self.budget_s,
            scenarios=tuple(map(_scenario, self.entries)),
            failures=tuple(failures),
            known=tuple(_known(known, self.entries)),
            samples=tuple(self.samples),
            trend=tuple(map(_night, nights[-TREND_MAX:])),
            corpus=_corpus(corpus, night) if corpus else CorpusRecord(),
            notes=tuple(_notes(corpus, night.plan.unplayed)) if corpus else (),
        )

    def _now_s(self) -> float:
        return time.monotonic() - self.began_s

    def _ended(self) -> str:
        if any(entry.broken for entry in self.entries):
            return "broken"
        return "all played" if self.budget_s is None else "time over"

    def _failures(self, entry: Entry, nights: Sequence[Mapping[str, Any]]) -> list[FailureRecord]:
        driver = driver_to_give(entry.target)
        made = []
        for bug in bugs(entry.found.values()):
            lead = bug.leads
            trace = relpath(lead.trace, self.folder) if lead.trace else ""
            made.append(
                FailureRecord(
                    signature=lead.signature,
                    scenario=entry.job.scenario,
                    driver=entry.job.driver,
                    status="before" if (entry.name, lead.signature) in self.before else "new",
                    trace=trace,
                    lines=lead.lines,
                    text=lead.text,
                    replay=replay_command(lead.trace, driver) if lead.trace else "",
                    play=lead.play,
                    runs=entry.failures.get(lead.signature, 1),
                    steps=lead.steps,
                    replays=lead.replays if isinstance(lead, Shorter) else 0,
                    found_s=round(self._found_s.get((entry.name, lead.signature), 0.0), 1),
                    doubt=lead.doubt if isinstance(lead, Shorter) else "",
                    also=tuple(other.signature for other in bug.also),
                    since=seen_in(nights, lead.signature),
                )
            )
        return made


def night_of(record: Record) -> dict[str, Any]:
    """Return what the corpus keeps of a campaign: a Night, and the lines of each scenario."""
    return {
        **asdict(record.as_night()),
        "reached": [
            {
                "scenario": each.name,
                "driver": each.driver,
                "steps": each.steps,
                "lines": dict(each.lines),
            }
            for each in record.scenarios
        ],
    }


def _night(values: Mapping[str, Any]) -> Night:
    """Return an earlier campaign, whatever a file of the corpus says of it."""
    numbers = {
        name: value if isinstance(value := values.get(name), int) else 0
        for name in ("new", "known", "fixed", "steps", "runs", "states", "lines")
    }
    listed = values.get("signatures")
    signatures = tuple(map(str, listed)) if isinstance(listed, list) else ()
    took_s = values.get("took_s")
    return Night(
        str(values.get("name", "")),
        str(values["began"]),
        **numbers,
        took_s=took_s if isinstance(took_s, int | float) else 0.0,
        signatures=signatures,
    )


def verdict_of(failures: Sequence[FailureRecord], entries: Sequence[Entry], ended: str) -> str:
    """Return the campaign in one sentence."""
    broken = [entry.name for entry in entries if entry.broken]
    nothing = [each.name for each in entries if not (each.steps or each.is_unreached)]
    late = [each.name for each in entries if each.is_unreached]
    early = ", interrupted" if ended == "interrupted" else ""
    early += f"; no time for {', '.join(late)}" if late else ""
    if broken:
        return f"broken: {', '.join(broken)} could not be played"
    failures = [each for each in failures if each.status == "new"]
    if failures:
        fresh = sum(not each.since for each in failures)
        found = count(len(failures), "unaccepted failure")
        names = {failure.signature for failure in failures}
        if len(names) < len(failures):  # one bug shows in several scenarios
            found += f" of {count(len(names), 'signature')}"
        return f"failed: {found}, {fresh} for the first time{early}"
    if nothing:
        return f"failed: nothing was tried in {', '.join(nothing)}{early}"
    if late and len(late) == len(entries):
        return f"failed: nothing was tried{early}"
    if vacuous := [each.name for each in entries if is_vacuous(each.runs, each.end().unmet)]:
        return f"failed: vacuous, as goals were not met in {', '.join(vacuous)}{early}"
    return f"passed: no unaccepted failure{early}"


def _scenario(entry: Entry) -> ScenarioRecord:
    kinds = [kind for kind in entry.target.model.kinds() if kind not in _lacked(entry)]
    ended = entry.end()
    return ScenarioRecord(
        name=entry.job.scenario,
        driver=entry.job.driver,
        runs=entry.runs,
        steps=entry.steps,
        seconds=round(entry.spent_s, 1),
        slices=len(entry.slices),
        failures=entry.failures,
        known=entry.known,
        operations={kind: dict(entry.operations.get(kind, {})) for kind in kinds},
        states=len(entry.states),
        transitions=len(entry.transitions),
        new_states=sum(part.new_states for part in entry.slices),
        lines={file: as_ranges(sorted(lines)) for file, lines in sorted(entry.lines.items())},
        unused=tuple(ended.unused),
        unmet=tuple(ended.unmet),
        never=tuple(kind for kind in kinds if not entry.operations.get(kind)),
        note=entry.broken or ended.note,
        is_unreached=ended.is_unreached,
    )


def _lacked(entry: Entry) -> set[str]:
    return {operation.kind for operation in entry.target.lacks}


def _known(text: KnownText, entries: Sequence[Entry]) -> list[KnownRecord]:
    came: dict[str, int] = {}
    for entry in entries:
        for name, runs in entry.known.items():
            came[name] = came.get(name, 0) + runs
    made = [_known_record(each, came, text.replayed) for each in text.entries]
    return made + [
        KnownRecord(each.signature, each.driver, each.reason, "expired", each.link, _until(each))
        for each in text.expired
    ]


def _known_record(
    entry: Known, came: Mapping[str, int], replayed: Mapping[str, str]
) -> KnownRecord:
    runs = sum(n for name, n in came.items() if is_signature_of(entry.signature, name))
    now = replayed.get(entry.signature)
    if now == "":
        state = "fixed"
    elif now is not None and not is_signature_of(entry.signature, now):
        state = "fails otherwise"
    else:
        state = "known" if runs or now else "not seen"
    return KnownRecord(
        entry.signature,
        entry.driver,
        entry.reason,
        state,
        entry.link,
        _until(entry),
        relpath(entry.trace) if entry.trace else "",
        now or "",
        runs,
    )


def _until(entry: Known) -> str:
    return entry.until.isoformat() if entry.until else ""


def _corpus(corpus: Corpus, night: Campaign) -> CorpusRecord:
    return CorpusRecord(
        folder=str(corpus.folder),
        failures=len(corpus.failures()),
        behaviour=len(corpus.behaviour()),
        replayed=night.replayed,
        added=corpus.added,
        dropped=corpus.dropped,
        fixed=tuple(sorted({stored.signature for stored in night.fixed})),
        aside=dict(sorted(corpus.aside.items())),
    )


def _notes(corpus: Corpus, unplayed: int) -> list[str]:
    left = count(unplayed, "failure")
    late = [f"{left} of the corpus not played: a fifth of the time was over"] if unplayed else []
    return late + _notes_of(corpus)


def _notes_of(corpus: Corpus) -> list[str]:
    notes = [corpus.trouble] if corpus.trouble else []
    notes += [f"set aside: {name}: {why}" for name, why in sorted(corpus.aside.items())]
    newer = sorted(set(corpus.newer))
    return notes + [f"left alone: {name} is of a newer version of threadline" for name in newer]
