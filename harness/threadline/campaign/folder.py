"""The folder of one campaign: reports/runs/<utc>-<seed>."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

RUNS = Path("reports/runs")


def make_folder(seed: int) -> tuple[Path, str]:
    """Return a new folder for this campaign, and why it is not below RUNS, if it is not."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    try:
        RUNS.mkdir(parents=True, exist_ok=True)
        folder = RUNS / f"{stamp}-{seed}"
        if folder.exists():  # two campaigns of one second
            folder = RUNS / f"{stamp}-{seed}-{time.monotonic_ns()}"
        folder.mkdir()
    except OSError as error:
        trouble = f"{RUNS} cannot be written ({error.strerror})"
        try:
            return Path(tempfile.mkdtemp(prefix="threadline-")), trouble
        except OSError:  # a full disk: below what is no folder, nothing can be written either
            return Path(os.devnull), trouble
    return folder, ""


def tidy(folder: Path, running: Iterable[Path | None], *, keeps_folder: bool = False) -> None:
    """Remove what no failure needs: traces of runs that have ended well, and an empty folder,
    unless that is to be kept for what follows.
    """
    with suppress(OSError):
        for path in running:
            if path is not None:
                path.unlink(missing_ok=True)
        if not keeps_folder:
            folder.rmdir()
