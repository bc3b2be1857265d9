"""Whose an exception is that was raised outside of steps: the system's, or ours."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

# Of our files, those that call the system outside of steps, for its roots and what hangs on them.
LOOKING = {"driver.py", "leaks/cycles.py", "leaks/edges.py", "leaks/reach.py"}


def is_the_systems(error: BaseException) -> bool:
    """Return whether the system raised this.

    That is so where the last of our own files on the way is one that looks at the system, or where
    space is what was lacking. A model and a scenario are called from other files.
    """
    if isinstance(error, (MemoryError, RecursionError, KeyboardInterrupt)):
        return True
    ours = f"{Path(__file__).parents[1]}{os.sep}"
    files = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    last = next((file for file in reversed(files) if file.startswith(ours)), "")
    return files[-1:] != [last] and last.removeprefix(ours) in LOOKING
