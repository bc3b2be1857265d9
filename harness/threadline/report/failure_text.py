"""A failure as a reader sees it: no debugger and no traceback needed."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence

from ..failure import Failure
from ..history import Step
from ..leaks.leak import is_leak, leak_of
from ..outcome import Crashed, Refused


def failure_text(failure: Failure, trace: str = "", notes: Sequence[str] = ()) -> str:
    """Return the failure in this order: property, operation, expected and because, actual, history
    with an arrow, trace file, the command that replays it.
    """
    lines = [
        *(_leak_lines(failure) if is_leak(failure) else _divergence_lines(failure)),
        *(f"  note:    {note}" for note in notes),
    ]
    if trace:
        lines += [f"  trace:   {trace}", f"  replay:  {replay_command(trace)}"]
    return "\n".join(lines)


def _divergence_lines(failure: Failure) -> list[str]:
    step, disagreement = failure.step, failure.disagreement
    return [
        f"{failure.signature.property}: {step.operation} diverges at step {step.number}",
        *_compared(disagreement.of, disagreement.expected, disagreement.actual),
        f"  history, {count(len(failure.steps), 'step')}:",
        *history_lines(failure.steps),
    ]


def _leak_lines(failure: Failure) -> list[str]:
    leak, also = leak_of(failure), failure.disagreement.expected
    others = also if isinstance(also, (list, tuple)) else ()
    return [
        f"{failure.signature.property}: {leak.path.name} is not given back",
        f"  leak:    {leak}",
        f"  held by: {leak.path.holder}",
        *(f"  also:    {other.path.name}, +{other.rate:.2f} per cycle" for other in others),
        f"  history, {count(len(failure.steps), 'step')}, then torn down, as each cycle:",
        *history_lines(failure.steps, arrow=False),
    ]


def history_lines(steps: Sequence[Step], *, arrow: bool = True) -> list[str]:
    """Return a line a step, with an arrow at the last; what matters is what the system did."""
    width = len(str(steps[-1].number)) if steps else 1
    return [
        f"  {'->' if arrow and step is steps[-1] else '  '}  {step.number:>{width}}  "
        f"{step.operation}  {_brief(step)}"
        for step in steps
    ]


def replay_command(trace: str) -> str:
    """Return the command that replays a trace, to be typed where this process was started."""
    under_uv = "uv run " if "UV_RUN_RECURSION_DEPTH" in os.environ else ""
    return f"{under_uv}threadline replay {shlex.quote(trace)}"


def count(number: int, noun: str) -> str:
    """Return a number with its noun: 1 step, 2,000 steps."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _compared(of: str, expected: object, actual: object) -> list[str]:
    if of == "outcome":
        return [f"  model:   {expected}", f"  system:  {actual}"]
    if of.startswith("census"):
        part = of.removeprefix("census").strip()
        held = str(actual) if isinstance(actual, Crashed) else f"holds {part} {actual!r}"
        return [f"  model:   holds {part} {expected!r}", f"  system:  {held}"]
    first, *rest = str(actual).splitlines() or [""]
    return [f"  broken:  {of.partition(' ')[2]}: {first}", *(f"           {line}" for line in rest)]


def _brief(step: Step) -> str:
    """Return what the system did; reasons are in the lines above, or in the model's own words."""
    outcome = step.actual
    if isinstance(outcome, Refused) and outcome.because:
        return f"refused ({outcome.reason})"
    return str(outcome)
