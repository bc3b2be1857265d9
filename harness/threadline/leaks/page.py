"""What an investigation found, as one small HTML page: the chain as SVG, the counts as a plot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape as escaped_html

from ..printable import printable
from .investigate import Investigation
from .ledger import Row
from .reach import Path
from .text import facts, footnotes, place_name

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


def escape(text: str) -> str:
    """Return a text that means nothing to HTML, and in which every character shows itself."""
    return escaped_html(printable(text))


def leak_page(found: Investigation) -> str:
    """Return the report of one leak as a page that needs no other file."""
    title = escape(f"{found.leak.path.name} is not given back")
    steps = "\n".join(escape(str(step)) for step in found.failure.steps)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>
<body><h1>{title}</h1>
<p class="lead">{escape(str(found.leak))}</p>
{_list(facts(found))}
<h2>The chain from what holds it</h2><div class="wide">{chain_svg(found.chain)}</div>
<h2>How much there was after each cycle</h2><div class="wide">{plot_svg(found.counts)}</div>
<h2>One cycle, booked</h2><div class="wide">{_table(found)}</div>
<h2>The steps, torn down and repeated as each cycle</h2><pre>{steps}</pre>
<h2>How it was watched</h2>{_list(footnotes(found))}
</body></html>
"""


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
    for place, count in enumerate(counts):
        yield EDGE + place * wide, PLOT_HIGH - EDGE - (count - low) * tall


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


def _table(found: Investigation) -> str:
    ledger = found.ledger
    heads = [ledger.label(place) for place in range(len(ledger.steps))]
    head = "".join(f"<th>{escape(text)}</th>" for text in ["", *heads, "net"])
    rows = [_row(ledger.leak, "leak"), *(_row(row, "") for row in ledger.siblings)]
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"


def _row(row: Row, kind: str) -> str:
    cells = [f"{delta:+}" if delta else "" for delta in row.deltas]
    texts = [place_name(row.path), *cells, f"{row.net:+}"]
    return f'<tr class="{kind}">{"".join(f"<td>{escape(text)}</td>" for text in texts)}</tr>'


def _list(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"
