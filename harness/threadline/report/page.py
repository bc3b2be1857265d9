"""The page of a campaign: one HTML file that needs no other, and no network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from ..history import count
from ..html import json_in_html, policy_for, sources_of
from ..leaks.reach import Link, Path
from ..leaks.report import chain_svg
from ..play import is_played
from ..printable import printable, printable_lines
from .coverage import coverage_of
from .lanes import lanes_svg
from .plots import plots_of
from .record import FailureRecord, KnownRecord, Record
from .sequence import NARROW, WIDE, sequence_svg
from .summary import facts, not_reached, short, status_of

FOLDER = files(__package__).joinpath("page_files")
DRAWN_MAX = 30  # failures with a diagram; the others have their texts
TOLD_MAX = 200  # failures that are shown at all; run.json has the others
TEXT_MAX = 16_000  # characters of a failure's text, and of its trace
LINE_MAX = 1_000  # of any other text
NAMES_MAX = 200  # rows of a table
MARKS = {0: ("passed", "✓"), 1: ("failed", "✗")}


def page_of(record: Record) -> str:
    """Return a campaign as HTML: verdict, failures as diagrams, coverage, plots, known failures.

    Every text in it is escaped and bounded, whatever a system or a trace says.
    """
    style = _file("uplot.css") + _file("page.css")
    script = f"/*\n{_file('uplot-license.txt')}*/\n{_file('uplot.js')}\n{_file('page.js')}"
    kind, sign = MARKS.get(record.exit, ("broken", "!"))
    failures = [_shown(n, each) for n, each in enumerate(record.failures[:TOLD_MAX], 1)]
    return (
        _environment()
        .get_template("page.html")
        .render(
            record=record,
            facts=facts(record),
            kind=kind,
            sign=sign,
            failures=failures,
            statuses=sorted({each.status for each in failures}),
            untold=len(record.failures) - len(failures),
            leaks=[each for each in failures if each.chain],
            known=[*_known(record)][:NAMES_MAX],
            drivers=coverage_of(record)[:NAMES_MAX],
            missed=[*not_reached(record)][:NAMES_MAX],
            short=short,
            plots=plots_of(record),
            data=json_in_html(plots_of(record)),
            style=Markup(style),
            script=Markup(script),
            policy=policy_for(style=sources_of(style), script=sources_of(script)),
        )
    )


@dataclass(frozen=True, slots=True)
class Shown:
    """A failure as the page shows it; `command` is "" where it has no trace to be played."""

    number: int
    record: FailureRecord
    status: str
    where: str
    head: str
    command: Markup
    wide: Markup
    narrow: Markup
    lanes: Markup
    narrow_lanes: Markup
    chain: Markup
    text: Markup
    lines: Markup
    expected: str
    actual: str
    way: str


def _shown(number: int, failure: FailureRecord) -> Shown:
    play = failure.play if is_played(failure.play) else {}
    chain = Path(Link(str(label), str(kind)) for label, kind in play.get("chain", ()))
    is_drawn = number <= DRAWN_MAX
    scenario, driver = failure.scenario.rpartition(":")[2], failure.driver.rpartition(":")[2]
    return Shown(
        number=number,
        record=failure,
        status=status_of(failure),
        where=f"{scenario} on {driver}",
        head=_cut(failure.head),
        command=_lines(failure.replay),
        wide=Markup(sequence_svg(play, WIDE)) if is_drawn else Markup(),
        narrow=Markup(sequence_svg(play, NARROW)) if is_drawn else Markup(),
        lanes=Markup(lanes_svg(play, WIDE)) if is_drawn else Markup(),
        narrow_lanes=Markup(lanes_svg(play, NARROW)) if is_drawn else Markup(),
        chain=Markup(chain_svg(chain)) if chain else Markup(),
        text=_lines(failure.text),
        lines=_lines(failure.lines.rstrip("\n")),
        expected=_cut(str(play.get("expected", ""))),
        actual=_cut(str(play.get("actual", ""))),
        way=_cut(str(play.get("way", ""))),
    )


def _known(record: Record) -> Iterator[KnownRecord]:
    """Yield the known failures, those to be looked at first, then what the corpus says is fixed."""
    order = ("fixed", "expired", "fails otherwise", "known", "not seen")
    rank = {state: place for place, state in enumerate(order)}
    yield from sorted(record.known, key=lambda each: rank.get(each.state, len(rank)))
    listed = {each.signature for each in record.known}
    for signature in record.corpus.fixed:
        if signature not in listed:
            yield KnownRecord(signature, "", "its trace in the corpus agrees now", "fixed")


def _environment() -> Environment:
    made = Environment(
        loader=FunctionLoader(_file),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_plain,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["count"] = count
    return made


def _plain(value: object) -> object:
    """Return what a template puts out: a text of a system with nothing invisible in it."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return printable(_cut(value))
    return value


def _lines(text: str) -> Markup:
    more = f"\n... {len(text) - TEXT_MAX:,} characters more" if len(text) > TEXT_MAX else ""
    return escape(printable_lines(text[:TEXT_MAX]) + more)


def _cut(text: str) -> str:
    return text if len(text) <= LINE_MAX else f"{text[:LINE_MAX]}..."


def _file(name: str) -> str:
    return FOLDER.joinpath(name).read_text("utf-8")
