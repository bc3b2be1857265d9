"""A failure as a reader sees it: no debugger and no traceback needed."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence

from ..failure import Failure


def failure_text(
    failure: Failure,
    trace: str = "",
    notes: Sequence[str] = (),
    log: Sequence[str] = (),
    *,
    full: bool = False,
) -> str:
    """Return the failure in this order: property, operation, expected and because, actual, settings
    and policy, history with an arrow, what the system logged, trace file, the command that replays
    it. With `full`, no value is cut.
    """
    lines = [*failure.lines(full=full), *(f"  note:    {note}" for note in notes)]
    lines += [f"  log:     {line}" for line in log]
    if trace:
        lines += [f"  trace:   {trace}", f"  replay:  {replay_command(trace)}"]
    return "\n".join(lines)


def replay_command(trace: str) -> str:
    """Return the command that replays a trace, to be typed where this process was started."""
    under_uv = "uv run " if "UV_RUN_RECURSION_DEPTH" in os.environ else ""
    return f"{under_uv}threadline replay {shlex.quote(trace)}"
