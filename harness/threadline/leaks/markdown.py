"""What an investigation found, as Markdown, with the chain and the cycle as Mermaid."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from ..printable import printable
from .investigate import Investigation
from .ledger import Row
from .text import facts, footnotes, place_name

QUOTE, BAR = "'", r"\|"  # what stands for ` and | in code, where nothing else can be escaped


def leak_markdown(found: Investigation, again: str = "") -> str:
    """Return the report of one leak as a Markdown page; `again` is the command that replays it.

    Names of the system mean nothing to Markdown, HTML or Mermaid there.
    """
    return "\n".join(_lines(found, again)) + "\n"


def _lines(found: Investigation, again: str) -> Iterator[str]:
    yield f"# {_plain(found.leak.path.name)} is not given back"
    yield ""
    yield f"**{_plain(str(found.leak))}**"
    yield ""
    yield from (f"- {_plain(line)}" for line in facts(found))
    yield from _section("The chain from what holds it", _fenced("mermaid", _chain(found)))
    yield from _section("One cycle, booked", _ledger(found))
    steps = [str(step) for step in found.failure.steps]
    yield from _section("The steps, torn down and repeated as each cycle", _fenced("", steps))
    if again:
        yield from ("", f"Again: {_code(again)}")
    yield from _section("How it was watched", [f"- {_plain(line)}" for line in footnotes(found)])


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", f"## {title}", "", *lines]


def _fenced(language: str, lines: list[str]) -> list[str]:
    """Return lines of code, within a fence that is longer than any in them."""
    text = [printable(line) for line in lines]
    ticks = max((len(run) for line in text for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, ticks + 1)
    return [f"{fence}{language}", *text, fence]


def _plain(text: str) -> str:
    """Return a text that means nothing to Markdown, and so to no page that is made of it."""
    return re.sub(r"([\\`*_\[\]|~#])", r"\\\1", escape(printable(text), quote=False))


def _code(text: str) -> str:
    """Return a text as code within a line, a cell of a table too."""
    return f"`{printable(text).replace('`', QUOTE).replace('|', BAR)}`"


def _chain(found: Investigation) -> list[str]:
    """Return the chain as a flow chart, each node a type and each arrow how it is held."""
    first, *rest = found.chain.holder
    lines = ["flowchart LR", f'  n0["{_told(first.label)}: {_told(first.kind)}"]']
    lines += [
        f'  n{at} -- "{_told(link.label)}" --> n{at + 1}["{_told(link.kind)}"]'
        for at, link in enumerate(rest)
    ]
    last = len(rest)
    return [*lines, f'  n{last} -- "each cycle" --> grows(["+{found.leak.rate:.2f}"])']


def _told(text: str) -> str:
    """Return a text that means nothing to Mermaid, which has numbers for what is special."""
    plain = printable(text).replace('"', "'").replace("[*]", "each")
    return re.sub(r"[^\w .:,'()/+=-]", lambda found: f"#{ord(found[0])};", plain) or "-"


def _ledger(found: Investigation) -> list[str]:
    ledger = found.ledger
    heads = [_plain(ledger.label(place)) for place in range(len(ledger.steps))]
    return [
        f"| | {' | '.join(heads)} | net |",
        f"|---|{'---:|' * (len(heads) + 1)}",
        _row(ledger.leak, strong=True),
        *(_row(row, strong=False) for row in ledger.siblings),
    ]


def _row(row: Row, *, strong: bool) -> str:
    name = _code(place_name(row.path))
    cells = [f"{delta:+}" if delta else "" for delta in row.deltas]
    return f"| {f'**{name}**' if strong else name} | {' | '.join(cells)} | {row.net:+} |"
