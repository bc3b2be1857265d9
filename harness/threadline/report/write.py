"""Writes what people and tools read of a campaign, each file on its own, so that none is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ..whole_file import write_whole
from .junit import junit_of
from .record import FILE, Record
from .summary import summary_of


def _page_of(record: Record) -> str:
    from .page import page_of  # late: what makes it would slow down every other command

    return page_of(record)


PAGE, SUMMARY, JUNIT = "index.html", "summary.md", "junit.xml"
MADE: Mapping[str, Callable[[Record], str]] = {
    FILE: Record.encoded,
    SUMMARY: summary_of,
    JUNIT: junit_of,
    PAGE: _page_of,
}


def write_report(record: Record, folder: Path, *, only_made: bool = False) -> list[str]:
    """Write the files of a report into a folder; return a line for each that could not be.

    With `only_made`, run.json is left as it is: what is made of it is written anew.
    """
    names = [name for name in MADE if name != FILE or not only_made]
    return [text for name in names if (text := _write(folder / name, MADE[name](record)))]


def _write(path: Path, text: str) -> str:
    try:
        write_whole(path, text.encode("utf-8"))
    except OSError as error:
        return f"{path} cannot be written: {error.strerror}"
    return ""
