"""`threadline export`: a stored trace as a pytest test of plain calls on the driver."""

from __future__ import annotations

import re
from pathlib import Path

import click

from ..allowed import driver_to_give
from ..leaks.round_trip import RoundTrips
from ..loading import BadName, Target
from ..lockstep.recorders import warnings_recorded
from ..lockstep.run import Runs
from ..lockstep.run import replay as replayed
from ..printable import file_name, printable
from ..report.export import exported, replaying
from ..report.literal import NoSource
from ..report.watched import watch
from ..trace import Recorder, Trace
from .cli_names import tell, usage_errors
from .replay import driver_option, trace_argument
from .stored import alarm, compared, opened, played, remarks, rewind


@click.command()
@trace_argument
@driver_option
@usage_errors
def export(trace: Path, driver: str | None) -> None:
    """Write a failing trace as a pytest test.

    The test is beside TRACE, as test_NAME.py: plain calls on the driver, the last of them held to
    what the model expects. It needs no engine, fails as the trace does, and passes once the system
    is fixed. Exits with 2 where the trace does not fail, or a plain call cannot show how. Of
    operations that overlap, the test replays TRACE.
    """
    target, stored = opened(trace, driver)
    tell(*remarks(stored, target))
    path = trace.with_name(f"test_{re.sub(r'[^A-Za-z0-9]+', '_', file_name(trace.stem))}.py")
    if path.exists():
        raise BadName(f"{printable(str(path))} is there already; move it, or remove it")
    try:
        path.write_text(_text(trace, target, stored), "utf-8")
    except NoSource as why:
        raise BadName(f"{printable(str(trace))} is not exported: {why}") from why
    except OSError as error:
        raise click.FileError(str(path), hint=str(error)) from error
    tell(f"{printable(str(path))}: fails as the trace does; run it with python -m pytest")


def _text(trace: Path, target: Target, stored: Trace) -> str:
    """Return the test of a trace; raises NoSource where there is none."""
    with played(trace), warnings_recorded() as warned, alarm():
        runs = Runs(target, Recorder(None), warned, after_run=RoundTrips(alive=rewind))
        if stored.header.overlap:
            failure = replayed(runs, stored.header, stored.operations)
            tell(*compared(stored.header, failure))
            return replaying(failure, trace.name, driver_to_give(target))
        seen = watch(runs, stored, rewind)
        changes = bool(seen.failure and not watch(runs, stored, rewind, mutates=False).failure)
    tell(*compared(stored.header, seen.failure))
    return exported(seen, target, trace.name, changes=changes)
