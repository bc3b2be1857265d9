"""A failure as a reader sees it: no debugger and no traceback needed."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence

from ..failure import Failure
from ..history import labelled
from ..printable import printable


def failure_text(
    failure: Failure,
    trace: str = "",
    notes: Sequence[str] = (),
    log: Sequence[str] = (),
    *,
    driver: str = "",
    full: bool = False,
) -> str:
    """Return the failure in this order: property, operation, expected and because, actual, settings
    and policy, history with an arrow, what the system logged, trace file, the command that replays
    it (on `driver`, where the trace alone does not lead to it). With `full`, no value is cut. Each
    line is printable, whatever the system said.
    """
    lines = [*failure.lines(full=full), *_folded("note:", notes)]
    lines += _folded("log:", log)
    if trace:
        lines += [f"  trace:   {trace}", f"  replay:  {replay_command(trace, driver)}"]
    return "\n".join(map(printable, lines))


def _folded(label: str, texts: Sequence[str]) -> list[str]:
    return [line for text in texts for line in labelled(label, text)]


def replay_command(trace: str, driver: str = "") -> str:
    """Return the command that replays a trace, to be typed where this process was started."""
    words = ["threadline", "replay", trace, *(["--driver", driver] if driver else [])]
    under_uv = "uv run " if "UV_RUN_RECURSION_DEPTH" in os.environ else ""
    return f"{under_uv}{shlex.join(words)}"
