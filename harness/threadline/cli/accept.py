"""`threadline accept`: write down that a failure is known, so that it is not told as new."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import click

from ..known import TRACES, BadKnown, Known, covering, known_file, read_known
from ..loading import BadName
from ..printable import file_name, printable
from ..trace import read_header
from .cli_names import tell, usage_errors


@click.command()
@click.argument("trace", type=click.Path(path_type=Path))
@click.option("--reason", required=True, help="Why it is no news.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The day it fails again.")
@click.option("--link", default="", help="Where it is followed up.")
@click.option("--tolerate", is_flag=True, help="Go on behind it, without comparing that part.")
@click.option("--known", type=click.Path(path_type=Path), help="Another file than known.toml.")
@usage_errors
def accept(
    trace: Path,
    reason: str,
    until: datetime | None,
    link: str,
    known: Path | None,
    *,
    tolerate: bool,
) -> None:
    """Take a failure for known, and write it down in known.toml.

    TRACE is one that a campaign has saved. It is copied beside the file, and played first in every
    campaign to come: where it agrees, the failure is told as fixed. Known failures are counted,
    and do not fail a campaign, until the day that is given.
    """
    header = read_header(trace)
    file = known or known_file()
    if not header.signature:
        raise BadName(
            f"{printable(str(trace))} names no failure; accept a trace that fuzz has saved"
        )
    before = covering(read_known(file), header.signature, header.driver)
    if before is not None:
        raise BadName(f"{file} has an entry for {printable(header.signature)}: {before.reason}")
    name = f"{TRACES}/{file_name(header.signature)}.jsonl"
    day = until.date() if until else None
    if day is not None and day <= date.today():
        raise BadName(f"{day} is no day to come; write the day on which it is to fail again")
    entry = Known(header.signature, reason, header.driver, link, day, name, tolerate)
    _write(trace, file, file.parent / name, entry)
    tell(f"{file}: {printable(header.signature)} is known now; its trace is {name}")


def _write(trace: Path, file: Path, copy: Path, entry: Known) -> None:
    """Copy the trace, then add the entry: one without its trace would be no entry."""
    try:
        content = trace.read_bytes()
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(content)
        with file.open("a", encoding="utf-8") as known:
            known.write(f"{'' if known.tell() == 0 else chr(10)}{entry.entry()}")
    except OSError as error:
        raise BadKnown(f"{file} cannot be written: {error}") from error
