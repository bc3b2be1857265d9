"""What an investigation found, as text: the leak, its chain, its birth, its ledger."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from ..history import count
from ..printable import printable
from .investigate import Investigation
from .leak import chain_lines
from .ledger import Ledger, Row
from .reach import Path

COLUMNS_MAX = 80  # of a terminal, as wide as it was for long; a ledger is as wide as its steps
WIDTH = 30  # of the first column of a ledger


def leak_text(found: Investigation) -> str:
    """Return the whole report of one leak, in printable lines without any markup."""
    return "\n".join(map(printable, _lines(found)))


def _lines(found: Investigation) -> Iterator[str]:
    leak = found.leak
    yield from _folded(f"LEAK  {count(len(found.trace.operations), 'step')}: {leak}")
    yield from (f"  {line}" for line in chain_lines(found.chain))
    yield from (f"  {line}" for line in facts(found))
    yield from (f"  {line}" for line in ledger_lines(found.ledger))
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


def facts(found: Investigation) -> list[str]:
    """Return when and where what survives was made, and when its siblings went."""
    ledger = found.ledger
    born = " and ".join(ledger.label(place) for place in ledger.born) or "no step of its own"
    where = f", allocated at  {found.allocated_at}" if found.allocated_at else ""
    lines = [f"survivors born in  {born}{where}"]
    if ledger.released >= 0:
        lines.append(f"siblings released in  {ledger.label(ledger.released)}")
    return lines


def ledger_lines(ledger: Ledger) -> list[str]:
    """Return a table: a row for the leak, one for each sibling, a column for each step."""
    kinds = [step.operation.kind for step in ledger.steps]
    why = "never released" if ledger.leak.net > 0 else "over its bound while it lasts"
    head = "".join(_cell(kind, kind) for kind in [*kinds, "net"])
    return [
        f"{'ledger':<{WIDTH}}{head}",
        f"{_row(ledger.leak, kinds)}  <-- {why}",
        *(_row(row, kinds) for row in ledger.siblings),
    ]


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


def place_name(path: Path) -> str:
    """Return the end of a path, short enough for a table."""
    text = ".".join(path.name.split(".")[-2:])
    return text if len(text) < WIDTH else f"...{text[4 - WIDTH :]}"


def _row(row: Row, kinds: list[str]) -> str:
    cells = [_cell(_sign(delta), kind) for delta, kind in zip(row.deltas, kinds, strict=True)]
    return f"{place_name(row.path):<{WIDTH}}{''.join(cells)}{_cell(_sign(row.net, '0'), 'net')}"


def _cell(text: str, kind: str) -> str:
    return f"{text:>{max(5, len(kind) + 2)}}"


def _sign(delta: int, nothing: str = ".") -> str:
    return f"{delta:+}" if delta else nothing
