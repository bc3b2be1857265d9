"""Writes what people and tools read of a campaign, each file on its own, so that none is lost."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from .record import FILE, Record


def write_report(record: Record, folder: Path) -> list[str]:
    """Write the files of a report into a folder; return a line for each that could not be."""
    files = {FILE: record.encoded}
    return [text for name, make in files.items() if (text := _write(folder / name, make()))]


def _write(path: Path, text: str) -> str:
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(text, "utf-8")
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        return f"{path} cannot be written: {error.strerror}"
    return ""
