"""A file that is there whole or not at all, whatever ends the process that writes it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file in one piece: it is written beside its place, and moved there.

    Two processes may write the same file at the same time. Raises OSError, with nothing left behind
    but what was there before.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError:
        with suppress(OSError):
            partial.unlink()
        raise
