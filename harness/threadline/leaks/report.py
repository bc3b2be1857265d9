"""Reports of what an investigation found: as text, as Markdown, and as one small HTML page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape as escaped_html
from textwrap import wrap

from ..history import count
from ..markdown import code, fenced, plain
from ..printable import printable
from .investigate import Investigation
from .leak import chain_lines
from .ledger import Ledger
from .reach import Path

COLUMNS_MAX = 80  # of a terminal, as wide as it was for long; a ledger is as wide as its steps
WIDTH = 30  # of the first column of a ledger
CHAIN, BOOKED = "The chain from what holds it", "One cycle, booked"
STEPS, WATCHED = "The steps, torn down and repeated as each cycle", "How it was watched"
BOX_WIDE, BOX_HIGH, GAP, CHAR_WIDE = 40, 34, 74, 7.2
PLOT_WIDE, PLOT_HIGH, EDGE = 640, 220, 40
STYLE = """
:root { color-scheme: light dark; --ink: #1c1e21; --soft: #5f6670; --line: #c9ced6; --bad: #b3261e;
  --fill: #f3f5f8; --page: #ffffff }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --soft: #9aa3ad; --line: #454c55;
  --bad: #ff8a80; --fill: #23272d; --page: #16191d } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page);
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.35rem; margin: 0 0 .3rem } h2 { font-size: 1rem; margin: 1.8rem 0 .5rem }
.lead { color: var(--bad); font-weight: 600; margin: 0 0 .8rem } .wide { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem }
th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--line); text-align: right }
th:first-child, td:first-child { text-align: left } th { font-weight: 500; color: var(--soft) }
tr.leak td { color: var(--bad); font-weight: 600 }
pre, code { font: .85rem ui-monospace, monospace }
pre { background: var(--fill); padding: .8rem; overflow-x: auto } li { margin: .1rem 0 }
svg text { font: 12px ui-monospace, monospace; fill: var(--ink) }
svg .soft { fill: var(--soft) } svg .box { fill: var(--fill); stroke: var(--line) }
svg .last { stroke: var(--bad); stroke-width: 2 } svg .edge { stroke: var(--soft); fill: none }
svg .plot { stroke: var(--bad); stroke-width: 2; fill: none } svg .axis { stroke: var(--line) }
"""


def leak_text(found: Investigation) -> str:
    """Return the whole report of one leak, in printable lines without any markup."""
    return "\n".join(map(printable, _text(found)))


def leak_markdown(found: Investigation, again: str = "") -> str:
    """Return the report of one leak as a Markdown page; `again` is the command that replays it.

    Names of the system mean nothing to Markdown, HTML or Mermaid there. The chain is a flow chart
    of Mermaid's.
    """
    return "\n".join(_markdown(found, again)) + "\n"


def leak_page(found: Investigation) -> str:
    """Return the report of one leak as a page that needs no other file: the chain and the counts
    are drawn as SVG.
    """
    title = escape(_title(found))
    steps = "\n".join(escape(str(step)) for step in found.failure.steps)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>
<body><h1>{title}</h1>
<p class="lead">{escape(str(found.leak))}</p>
{_list(facts(found))}
<h2>{CHAIN}</h2><div class="wide">{chain_svg(found.chain)}</div>
<h2>How much there was after each cycle</h2><div class="wide">{plot_svg(found.counts)}</div>
<h2>{BOOKED}</h2><div class="wide">{_html_table(found.ledger)}</div>
<h2>{STEPS}</h2><pre>{steps}</pre>
<h2>{WATCHED}</h2>{_list(footnotes(found))}
</body></html>
"""


def _title(found: Investigation) -> str:
    return f"{found.leak.path.name} is not given back"


def facts(found: Investigation) -> list[str]:
    """Return when and where what survives was made, and when its siblings went."""
    ledger = found.ledger
    born = " and ".join(ledger.label(place) for place in ledger.born) or "no step of its own"
    where = f", allocated at  {found.allocated_at}" if found.allocated_at else ""
    lines = [f"survivors born in  {born}{where}"]
    if ledger.released >= 0:
        lines.append(f"siblings released in  {ledger.label(ledger.released)}")
    return lines


def footnotes(found: Investigation) -> list[str]:
    """Return what else grows, what was seen to stop, and what was not looked at."""
    of = count(found.leak.operations, "operation")
    cycles = (
        f"{found.leak.cycles:,} cycles of {of}" if found.leak.cycles else f"a run of {of}, live"
    )
    growths = found.growths
    return [
        f"watched: {cycles}",
        *(f"also:    {other.path.name}, +{other.rate:.2f} per cycle" for other in found.also),
        *([f"net:     {found.block_count}"] if found.block_count else []),
        *(f"bounded: {path.name}, at {level:,}" for path, level in growths.levels.items()),
        *(f"open:    {path.name}, after {n:,} cycles" for path, n in growths.undecided.items()),
        *(f"not covered: {what}" for what in found.uncovered),
    ]


def _rows(ledger: Ledger, nothing: str = "", zero: str = "+0") -> list[list[str]]:
    """Return the cells of a ledger, that of the leak first: a place, its steps, and their sum."""
    return [
        [
            _place(row.path),
            *(f"{delta:+}" if delta else nothing for delta in row.deltas),
            f"{row.net:+}" if row.net else zero,
        ]
        for row in (ledger.leak, *ledger.siblings)
    ]


def _labels(ledger: Ledger) -> list[str]:
    return [ledger.label(place) for place in range(len(ledger.steps))]


def _place(path: Path) -> str:
    """Return the end of a path, short enough for a table."""
    text = ".".join(path.name.split(".")[-2:])
    return text if len(text) < WIDTH else f"...{text[4 - WIDTH :]}"


def _text(found: Investigation) -> Iterator[str]:
    yield from _folded(f"LEAK  {count(len(found.trace.operations), 'step')}: {found.leak}")
    yield from (f"  {line}" for line in chain_lines(found.chain))
    yield from (f"  {line}" for line in facts(found))
    yield from (f"  {line}" for line in _ledger_lines(found.ledger))
    yield "  the steps, torn down and repeated as each cycle:"
    yield from (f"    {step}" for step in found.failure.steps)
    for line in footnotes(found):
        yield from _folded(f"  {line}")


def _folded(line: str) -> list[str]:
    """Return a sentence in lines of at most COLUMNS_MAX, broken between words alone."""
    return wrap(
        line,
        COLUMNS_MAX,
        subsequent_indent="      ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _ledger_lines(ledger: Ledger) -> list[str]:
    """Return a table: a row for the leak, one for each sibling, a column for each step."""
    heads = ["ledger", *(step.operation.kind for step in ledger.steps), "net"]
    why = "never released" if ledger.leak.net > 0 else "over its bound while it lasts"
    wide = [-WIDTH, *(max(5, len(head) + 2) for head in heads[1:])]
    head, leak, *siblings = (
        "".join(map(_cell, cells, wide)) for cells in [heads, *_rows(ledger, ".", "0")]
    )
    return [head, f"{leak}  <-- {why}", *siblings]


def _cell(text: str, wide: int) -> str:
    """Return a text padded to a width: on its right where that is negative, else on its left."""
    return f"{text:<{-wide}}" if wide < 0 else f"{text:>{wide}}"


def _markdown(found: Investigation, again: str) -> Iterator[str]:
    yield f"# {plain(_title(found))}"
    yield ""
    yield f"**{plain(str(found.leak))}**"
    yield ""
    yield from (f"- {plain(line)}" for line in facts(found))
    yield from _section(CHAIN, fenced("mermaid", _mermaid(found)))
    yield from _section(BOOKED, _markdown_table(found.ledger))
    yield from _section(STEPS, fenced("", [str(step) for step in found.failure.steps]))
    if again:
        yield from ("", f"Again: {code(again)}")
    yield from _section(WATCHED, [f"- {plain(line)}" for line in footnotes(found)])


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", f"## {title}", "", *lines]


def _mermaid(found: Investigation) -> list[str]:
    """Return the chain as a flow chart, each node a type and each arrow how it is held."""
    first, *rest = found.chain.holder
    lines = ["flowchart LR", f'  n0["{_for_mermaid(first.label)}: {_for_mermaid(first.kind)}"]']
    lines += [
        f'  n{at} -- "{_for_mermaid(link.label)}" --> n{at + 1}["{_for_mermaid(link.kind)}"]'
        for at, link in enumerate(rest)
    ]
    last = len(rest)
    return [*lines, f'  n{last} -- "each cycle" --> grows(["+{found.leak.rate:.2f}"])']


def _for_mermaid(text: str) -> str:
    """Return a text without meaning to Mermaid: special characters as their numbers."""
    plain = printable(text).replace('"', "'").replace("[*]", "each")
    return re.sub(r"[^\w .:,'()/+=-]", lambda found: f"#{ord(found[0])};", plain) or "-"


def _markdown_table(ledger: Ledger) -> list[str]:
    heads = " | ".join(map(plain, _labels(ledger)))
    leak, *siblings = ([code(place), *cells] for place, *cells in _rows(ledger))
    leak[0] = f"**{leak[0]}**"
    rows = [f"| {' | '.join(row)} |" for row in (leak, *siblings)]
    columns = "---:|" * (len(ledger.steps) + 1)
    return [f"| | {heads} | net |", f"|---|{columns}", *rows]


def escape(text: str) -> str:
    """Return a text without meaning to HTML, in which every character is visible."""
    return escaped_html(printable(text))


def chain_svg(path: Path) -> str:
    """Return a path as boxes in a row, each arrow with the name that its holder has for it."""
    parts, at = [], 2.0
    links = path.holder
    for place, link in enumerate(links):
        if place:
            parts.append(_arrow(at, link.label))
            at += max(GAP, len(link.label) * CHAR_WIDE + 26)
        text = link.kind if place else ": ".join(filter(None, link))
        wide = BOX_WIDE + len(text) * CHAR_WIDE
        kind = "box last" if place == len(links) - 1 else "box"
        parts.append(
            f'<rect class="{kind}" x="{at:.0f}" y="14" width="{wide:.0f}" height="{BOX_HIGH}" '
            f'rx="6"/><text x="{at + wide / 2:.0f}" y="35" text-anchor="middle">'
            f"{escape(text)}</text>"
        )
        at += wide
    return f'<svg width="{at + 4:.0f}" height="62" role="img">{_marker()}{"".join(parts)}</svg>'


def plot_svg(counts: Sequence[int]) -> str:
    """Return the counts as a line over cycles, with the lowest and the highest named."""
    low, high = min(counts, default=0), max(counts, default=0)
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in _points(counts, low, high))
    base, top = PLOT_HIGH - EDGE, 14
    return (
        f'<svg width="{PLOT_WIDE}" height="{PLOT_HIGH}" role="img">'
        f'<path class="axis" fill="none" d="M{EDGE},{top}V{base}H{PLOT_WIDE - 10}"/>'
        f'<polyline class="plot" points="{points}"/>'
        f'<text class="soft" x="{EDGE - 6}" y="{base}" text-anchor="end">{low:,}</text>'
        f'<text class="soft" x="{EDGE - 6}" y="{top + 8}" text-anchor="end">{high:,}</text>'
        f'<text class="soft" x="{EDGE}" y="{base + 20}">cycle 1</text>'
        f'<text class="soft" x="{PLOT_WIDE - 10}" y="{base + 20}" text-anchor="end">'
        f"cycle {len(counts)}</text></svg>"
    )


def _points(counts: Sequence[int], low: int, high: int) -> Iterator[tuple[float, float]]:
    wide = (PLOT_WIDE - EDGE - 10) / max(1, len(counts) - 1)
    tall = (PLOT_HIGH - EDGE - 14) / max(1, high - low)
    for place, height in enumerate(counts):
        yield EDGE + place * wide, PLOT_HIGH - EDGE - (height - low) * tall


def _arrow(at: float, label: str) -> str:
    wide = max(GAP, len(label) * CHAR_WIDE + 26)
    return (
        f'<path class="edge" marker-end="url(#tip)" d="M{at:.0f},31H{at + wide - 5:.0f}"/>'
        f'<text class="soft" x="{at + wide / 2:.0f}" y="25" text-anchor="middle">'
        f"{escape(label)}</text>"
    )


def _marker() -> str:
    return (
        '<defs><marker id="tip" markerWidth="7" markerHeight="7" refX="5" refY="3.5" '
        'orient="auto"><path class="edge" d="M0,0L6,3.5L0,7"/></marker></defs>'
    )


def _html_table(ledger: Ledger) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in ["", *_labels(ledger), "net"])
    rows = ["".join(f"<td>{escape(cell)}</td>" for cell in cells) for cells in _rows(ledger)]
    classes = ["leak", *("" for _ in ledger.siblings)]
    body = (f'<tr class="{name}">{row}</tr>' for name, row in zip(classes, rows, strict=True))
    return f"<table><tr>{head}</tr>{''.join(body)}</table>"


def _list(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"
