"""`threadline report` and `threadline compare`: a campaign that is over, read again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from ..history import count, folded, labelled
from ..report.compare import compared, comparison_lines
from ..report.record import FailureRecord, Record, read_record
from ..report.summary import facts, not_reached
from ..report.write import PAGE, write_report
from .cli_names import tell, usage_errors

RUN = click.Path(path_type=Path)


@click.command()
@click.argument("run", type=RUN)
@usage_errors
def report(run: Path) -> None:
    """Make the page of a campaign again, and print its summary.

    RUN is the folder of a campaign, as in reports/runs/<utc>-<seed>, or its run.json. Beside it,
    index.html, summary.md and junit.xml are written anew.

    Exits with 0 where they are, 1 where one cannot be written, and 2 where RUN is no campaign.
    """
    record = read_record(run)
    folder = run if run.is_dir() else run.parent
    tell(*_lines(record))
    troubles = write_report(record, folder, only_made=True)
    tell(*troubles, err=True)
    tell(f"page: {folder / PAGE}")
    sys.exit(bool(troubles))


@click.command()
@click.argument("before", metavar="RUN", type=RUN)
@click.argument("after", metavar="RUN", type=RUN)
@usage_errors
def compare(before: Path, after: Path) -> None:
    """Compare two campaigns: what is new, fixed, still there.

    Also what is still there, and how speed and coverage have changed.

    Each RUN is the folder of a campaign or its run.json, the earlier first. A failure is the same
    where signature and driver are. It is fixed where its scenario was played and it did not come.

    Exits with 1 where a failure is new, else with 0, and with 2 where a RUN is no campaign.
    """
    found = compared(read_record(before), read_record(after))
    tell(*comparison_lines(found))
    sys.exit(bool(found.new))


def _lines(record: Record) -> Iterator[str]:
    yield from folded("", f"{record.name}: {record.verdict}", 2)
    yield from folded("  ", facts(record), 2)
    for failure in record.failures:
        yield from _failure(failure)
    for known in record.known:
        yield from labelled(f"{known.state}:", f"{known.signature}: {known.reason}")
    for signature in record.corpus.fixed:
        yield from labelled("fixed:", signature)
    for line in not_reached(record):
        yield from labelled("missed:", line)


def _failure(failure: FailureRecord) -> Iterator[str]:
    """Yield the lines of a failure; the command in one, to be copied."""
    yield from folded("", failure.text.partition("\n")[0], 2)
    where = f"{failure.signature}, {count(failure.steps, 'step')}, {failure.scenario}"
    since = f", seen since {failure.since}" if failure.since else ""
    doubt = f", {failure.doubt}" if failure.doubt else ""
    yield from labelled(f"{failure.status}:", f"{where}{since}{doubt}")
    if failure.replay:
        yield f"  replay:  {failure.replay}"
