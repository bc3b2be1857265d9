"""The summary of a campaign as Markdown, for a CI job's page: the verdict in its first line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..campaign.vacuous import unmet_lines
from ..history import count
from ..markdown import code, fenced, plain
from .coverage import coverage_of
from .record import FailureRecord, KnownRecord, Record, ScenarioRecord

FAILURES_MAX = 30  # that are told whole
SIZE_MAX = 250_000  # characters of all; each may need four bytes
TEXT_LINES_MAX = 60
LINE_MAX = 400  # characters of a line of a failure
ROWS_MAX = 60


def summary_of(record: Record) -> str:
    """Return a campaign as a Markdown page: verdict, new failures, known and fixed ones, and what
    was not reached. It is smaller than the 1 MiB that a job's page may have on GitHub.
    """
    text = "\n".join(_lines(record)) + "\n"
    more = f"\n\n{count(len(text) - SIZE_MAX, 'character')} more: see the page, or run.json.\n"
    return text if len(text) <= SIZE_MAX else f"{text[:SIZE_MAX]}{more}"


def _lines(record: Record) -> Iterator[str]:
    yield f"**{plain(_cut(record.verdict))}**"
    yield ""
    yield plain(facts(record))
    for note in record.notes[:ROWS_MAX]:
        yield f"- {plain(_cut(note))}"
    told = record.failures[:FAILURES_MAX]
    if told:
        yield from ("", "## Failures")
        for failure in told:
            yield from _failure(failure)
    for failure in record.failures[FAILURES_MAX:]:
        yield f"- {code(_cut(failure.signature))}, {plain(failure.trace)}"
    yield from _known(record)
    yield from _not_reached(record)
    yield from _scenarios(record.scenarios)


def facts(record: Record) -> str:
    """Return what was played, in one sentence."""
    speed = f", {record.steps / record.took_s:,.0f} steps/s" if record.took_s else ""
    return (
        f"{count(record.runs, 'run')}, {count(record.steps, 'step')} in {record.took_s:,.0f} s"
        f"{speed}, {count(record.workers, 'worker')}, seed {record.seed}, {record.ended}"
    )


def status_of(failure: FailureRecord) -> str:
    """Return what a failure is: new, there before a change, or seen before, and since when."""
    if failure.status == "new" and failure.since:
        return f"not new: seen since {failure.since}"
    return "there before" if failure.status == "before" else failure.status


def _failure(failure: FailureRecord) -> Iterator[str]:
    yield ""
    yield f"### {plain(_cut(failure.signature))} ({plain(status_of(failure))})"
    yield ""
    where = f"{plain(failure.scenario)} on {plain(failure.driver)}"
    doubt = f", {plain(failure.doubt)}" if failure.doubt else ""
    yield f"{where}: {count(failure.steps, 'step')}, in {count(failure.runs, 'run')}{doubt}"
    yield ""
    lines = [_cut(line) for line in failure.text.splitlines()]
    more = [f"... {len(lines) - TEXT_LINES_MAX:,} lines more"] * (len(lines) > TEXT_LINES_MAX)
    yield from fenced("", [*lines[:TEXT_LINES_MAX], *more])
    if failure.also:
        yield from (
            "",
            f"Also seen as {', '.join(code(_cut(each)) for each in failure.also[:ROWS_MAX])}.",
        )


def _known(record: Record) -> Iterator[str]:
    fixed = [each for each in record.corpus.fixed if each not in _fixed(record.known)]
    if not record.known and not fixed:
        return
    yield from ("", "## Known and fixed", "", "| failure | state | runs | reason |")
    yield "|---|---|---:|---|"
    for each in record.known[:ROWS_MAX]:
        until = f", until {each.until}" if each.until else ""
        reason = plain(_cut(f"{each.reason}{until}"))
        yield f"| {code(each.signature)} | {plain(each.state)} | {each.runs:,} | {reason} |"
    for signature in fixed[:ROWS_MAX]:
        yield f"| {code(signature)} | fixed | | its trace in the corpus agrees now |"


def _fixed(known: Sequence[KnownRecord]) -> set[str]:
    return {each.signature for each in known if each.state == "fixed"}


def _not_reached(record: Record) -> Iterator[str]:
    lines = [*not_reached(record)]
    if not lines:
        return
    yield from ("", "## Not reached", "")
    yield from (f"- {plain(_cut(line))}" for line in lines[:ROWS_MAX])
    if len(lines) > ROWS_MAX:
        yield f"- and {len(lines) - ROWS_MAX:,} more"


def not_reached(record: Record) -> Iterator[str]:
    """Yield a line for each driver of which an operation was never called, for each rule that never
    fired, for each goal that was not met, and for each note on why a scenario ended early.
    """
    for coverage in coverage_of(record):
        if coverage.never:
            yield f"{coverage.driver}: never called: {', '.join(coverage.never)}"
    for each in record.scenarios:
        yield from (f"{short(each)}: never fired: {line}" for line in each.unused)
        yield from (f"{short(each)}: {line}" for line in unmet_lines(each.runs, each.unmet))
    notes: dict[str, list[str]] = {}
    for each in record.scenarios:
        if each.note:
            notes.setdefault(each.note, []).append(short(each))
    for note, names in notes.items():
        yield f"{', '.join(names)}: {note}"


def _scenarios(scenarios: Sequence[ScenarioRecord]) -> Iterator[str]:
    yield from ("", "## Played", "", "| scenario | runs | steps | states | failures |")
    yield "|---|---:|---:|---:|---|"
    for each in scenarios:
        found = ", ".join(f"{code(name)} ({n:,})" for name, n in each.failures.items())
        yield (
            f"| {plain(short(each))} | {each.runs:,} | {each.steps:,} | {each.states:,} "
            f"| {found or 'none'} |"
        )


def short(scenario: ScenarioRecord) -> str:
    """Return a scenario and its driver without their modules."""
    name, driver = scenario.name.rpartition(":")[2], scenario.driver.rpartition(":")[2]
    return f"{name} on {driver}"


def _cut(text: str) -> str:
    return text if len(text) <= LINE_MAX else f"{text[:LINE_MAX]}..."
