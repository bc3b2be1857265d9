"""What is told of an analysis: the counts, two tables, and each mutant that nobody has seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ..history import count
from ..printable import printable
from .analysis import Analysis
from .edits import kinds_in_order
from .results import FILE
from .verdict import (
    IGNORED,
    KILLED,
    PENDING,
    SURVIVED,
    TIMEOUT,
    UNREACHED,
    Result,
    score,
)

WORDS = {
    KILLED: "killed",
    TIMEOUT: "timed out",
    SURVIVED: "survived",
    UNREACHED: "unreached",
    IGNORED: "equivalent",
    PENDING: "not tried",
}
NAMED_MAX = 3  # of the scenarios that reach a survivor
NOT_BY_NAME = 28  # columns, at least, of what a row of a table is about


def told(analysis: Analysis, *, kills: bool = False) -> Iterator[str]:
    """Yield the lines of what came of an analysis; with `kills`, a line for each that died."""
    results = analysis.results
    if kills:
        yield from map(_killed, _those(results, KILLED, TIMEOUT))
        yield ""
    for result in _those(results, SURVIVED):
        yield from _survivor(result)
        yield ""
    yield from _unreached(_those(results, UNREACHED))
    yield from _table("file", results, lambda each: each.mutant.source.shown)
    yield ""
    kinds = kinds_in_order(each.mutant.edit.kind for each in results)
    by_kind = sorted(results, key=lambda each: kinds.index(each.mutant.edit.kind))
    yield from _table("change", by_kind, lambda each: each.mutant.edit.kind)
    yield ""
    if analysis.known:
        yield f"known before, from {FILE}: {count(analysis.known, 'mutant')}"
    yield summary(analysis)


def summary(analysis: Analysis) -> str:
    """Return the counts and the score in one line."""
    results = analysis.results
    counts = {words: len(_those(results, status)) for status, words in WORDS.items()}
    parts = [f"{number} {words}" for words, number in counts.items() if number]
    tried = f"{len(results)} of {analysis.made:,} mutants" if results else "no mutant"
    seed = f"seed {analysis.plan.seed}"
    return f"{tried}, {seed}: {', '.join(parts) or 'none'}; score {score(results):.1f} %"


def _those(results: Sequence[Result], *statuses: str) -> list[Result]:
    return [each for each in results if each.status in statuses]


def _killed(result: Result) -> str:
    verdict, runs = result.verdict, count(result.verdict.runs, "run")
    how = f"{_short(verdict.scenario)}, {verdict.signature}, {runs}"
    return f"{WORDS[verdict.status]}: {_title(result)}: {printable(how)}"


def _survivor(result: Result) -> Iterator[str]:
    before, after = result.mutant.diff()
    yield f"survived: {_title(result)}"
    yield from (f"  - {printable(line.strip())}" for line in before)
    yield from (f"  + {printable(line.strip())}" for line in after)
    named = [f"{_short(name)} after {count(n, 'step')}" for name, n in result.reached[:NAMED_MAX]]
    more = len(result.reached) - NAMED_MAX
    also = f" and {more} more" if more > 0 else ""
    yield f"  reached by {', '.join(named)}{also}; {count(result.verdict.runs, 'run')}"


def _unreached(results: Sequence[Result]) -> Iterator[str]:
    """Yield a line for each function of which something was not reached."""
    functions: dict[tuple[str, str], list[int]] = {}
    for each in results:
        place = each.mutant.source.shown, each.mutant.edit.function
        functions.setdefault(place, []).append(each.mutant.line)
    for (file, function), lines in functions.items():
        numbers = ", ".join(map(str, dict.fromkeys(lines)))
        what = "line" if len(set(lines)) == 1 else "lines"
        yield f"unreached: {file} {function}, {what} {numbers}"
    if functions:
        yield ""


def _title(result: Result) -> str:
    edit = result.mutant.edit
    return f"{result.mutant.place} {edit.function}, {edit.kind}"


def _short(scenario: str) -> str:
    return scenario.rpartition(":")[2].lower()


def _table(heading: str, results: Sequence[Result], key: Callable[[Result], str]) -> Iterator[str]:
    rows: dict[str, list[Result]] = {}
    for each in results:
        rows.setdefault(key(each), []).append(each)
    wide = max([NOT_BY_NAME, *map(len, rows)])
    shown = (KILLED, TIMEOUT, SURVIVED, UNREACHED)
    yield f"{heading:<{wide}}" + "".join(f"{WORDS[each]:>11}" for each in shown) + "    score"
    for name, own in rows.items():
        counts = "".join(f"{len(_those(own, each)):>11}" for each in shown)
        yield f"{printable(name):<{wide}}{counts}{score(own):>7.0f} %"
