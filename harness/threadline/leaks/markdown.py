"""What an investigation found, as Markdown, with the chain and the cycle as Mermaid."""

from __future__ import annotations

from collections.abc import Iterator

from ..report.failure_text import replay_command
from .investigate import Investigation
from .ledger import Row
from .text import facts, footnotes, place_name


def leak_markdown(found: Investigation, trace: str = "") -> str:
    """Return the report of one leak as a Markdown page; `trace` is the file of its trace."""
    return "\n".join(_lines(found, trace)) + "\n"


def _lines(found: Investigation, trace: str) -> Iterator[str]:
    yield f"# {found.leak.path.name} is not given back"
    yield ""
    yield f"**{found.leak}**"
    yield ""
    yield from (f"- {line}" for line in facts(found))
    yield from _section("The chain from what holds it", _fenced("mermaid", _chain(found)))
    yield from _section("One cycle, booked", _ledger(found))
    steps = [str(step) for step in found.failure.steps]
    yield from _section("The steps, torn down and repeated as each cycle", _fenced("", steps))
    if trace:
        yield from ("", f"Again: `{replay_command(trace)}`")
    yield from _section("How it was watched", [f"- {line}" for line in footnotes(found)])


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", f"## {title}", "", *lines]


def _fenced(language: str, lines: list[str]) -> list[str]:
    return [f"```{language}", *lines, "```"]


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
    """Return a text that means nothing to Mermaid."""
    return text.replace('"', "'").replace("[*]", "each") or "-"


def _ledger(found: Investigation) -> list[str]:
    ledger = found.ledger
    heads = [ledger.label(place) for place in range(len(ledger.steps))]
    return [
        f"| | {' | '.join(heads)} | net |",
        f"|---|{'---:|' * (len(heads) + 1)}",
        _row(ledger.leak, strong=True),
        *(_row(row, strong=False) for row in ledger.siblings),
    ]


def _row(row: Row, *, strong: bool) -> str:
    name = f"`{place_name(row.path)}`"
    cells = [f"{delta:+}" if delta else "" for delta in row.deltas]
    return f"| {f'**{name}**' if strong else name} | {' | '.join(cells)} | {row.net:+} |"
