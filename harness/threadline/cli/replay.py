"""`threadline replay` and `threadline minimise`: one stored trace, again and smaller."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import click

from ..campaign.chance import first_failure, least_of, play_again
from ..campaign.isolate import HANG_S
from ..campaign.save_failure import save
from ..failure import Divergence, Failure
from ..history import Step, count
from ..leaks.round_trip import RoundTrips
from ..loading import BadName, Target, load_scenario, load_target
from ..lockstep.lockstep import Lockstep
from ..lockstep.pump import NotDone
from ..lockstep.run import Runs, Skipped, play
from ..lockstep.warning_recorder import Warned, warnings_recorded
from ..operation import Operation
from ..outcome import Hung
from ..report.failure_text import failure_text
from ..scenario import Scenario
from ..trace import Header, Recorder, Trace, read, read_header
from .cli_names import usage_errors

trace_argument = click.argument(
    "trace", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
driver_option = click.option(
    "--driver", metavar="MODULE:NAME", help="Another driver than the one that the trace names."
)


@click.command()
@trace_argument
@driver_option
@click.option("--step", is_flag=True, help="Wait for Enter before each step.")
@click.option("--log", is_flag=True, help="Show what the system logs and warns in each step, too.")
@usage_errors
def replay(trace: Path, driver: str | None, *, step: bool, log: bool) -> None:
    """Play a trace again, step by step.

    Shows each step, the model's outcome beside the system's. Exits with 0 where the system agrees,
    and with 1 at the step where it diverges, or does not come back for 10 seconds. A trace that
    fails is then played 5 times more, to tell whether it does each time; so is one that was a
    failure and agrees now, which exits with 1 where it fails in any of 10 plays.
    """
    target, stored = _read(trace, driver)
    click.echo(f"{trace}\n  {_origin(stored.header)}\n  on {target.name}")
    shown = _show(target, stored, wait=step, log=log)
    failure, notes = _again(target, stored, shown)
    if shown is None:
        click.echo(f"agrees on all {count(len(stored.operations), 'operation')}")
    if failure is not None:
        click.echo(f"\n{failure_text(failure, str(trace), notes)}")
        sys.exit(1)


@click.command()
@trace_argument
@driver_option
@usage_errors
def minimise(trace: Path, driver: str | None) -> None:
    """Make a failing trace as short as it gets.

    Writes it beside TRACE as NAME.least.jsonl. Arguments are made simpler from the pools of the
    scenario that the trace names. One that fails by chance is made short by votes, and told with
    its rate. Exits with 1 where the trace does not fail, or too seldom.
    """
    target, stored = _read(trace, driver)
    with warnings_recorded() as warned, _alarm():
        runs = Runs(target, Unhurried(None), warned, after_run=RoundTrips(alive=_rewind))
        failure = first_failure(stored, runs)
        if failure is None:
            click.echo(f"{trace} does not fail: there is nothing to minimise")
            sys.exit(1)
        least = least_of(stored, failure, runs, _scenario(stored.header))
    if not least.replays:
        click.echo(failure_text(failure, str(trace), least.notes))
        click.echo("not made shorter: it fails too seldom")
        sys.exit(1)
    header = replace(least.trace.header, driver=target.name, signature=str(failure.signature))
    path = trace.with_suffix(".least.jsonl")
    saved = save(path, Trace(header, least.trace.operations))
    click.echo(failure_text(least.failure, saved, least.notes))
    before, after = len(stored.operations), len(least.trace.operations)
    click.echo(f"from {before} to {count(after, 'step')}, in {count(least.replays, 'replay')}")
    if not saved:
        raise click.FileError(str(path), hint="the trace above could not be written")


def _read(trace: Path, driver: str | None) -> tuple[Target, Trace]:
    header = read_header(trace)
    target = load_target(driver or header.driver, header.settings)
    if target.model.name != header.contract:
        raise BadName(
            f"{trace} is of the model {header.contract}, and {target.name} drives "
            f"{target.model.name}; give --driver one of the same model"
        )
    return target, read(trace, target.model.kinds())


def _show(target: Target, stored: Trace, *, wait: bool, log: bool) -> Failure | None:
    """Print each step as it ends, so that one without an end is seen as well."""
    wide = max((len(str(operation)) for _, operation in stored.operations), default=0)
    click.echo(f"  step  {'operation':<{wide}}  model | system")
    with warnings_recorded() as warned, _alarm():
        runs = Runs(target, Recorder(None), warned, after_run=RoundTrips(alive=_rewind))
        with runs.open(stored.header.line(), stored.header.settings) as lockstep:
            shown = play(lockstep, stored.operations)
            while True:
                if wait:
                    click.prompt("", default="", prompt_suffix="", show_default=False)
                try:
                    click.echo(_line(next(shown), wide))
                    _echo_log(warned, log=log)
                except StopIteration:
                    return _round_trip(runs, lockstep, stored.header)
                except Divergence as divergence:
                    click.echo(_line(divergence.failure.step, wide, mark="->"))
                    _echo_log(warned, log=log)
                    return divergence.failure
                _rewind()


def _again(
    target: Target, stored: Trace, shown: Failure | None
) -> tuple[Failure | None, tuple[str, ...]]:
    """Play a trace again, and return how it fails, and what is to be said of chance."""
    if (shown is None and not stored.header.signature) or _is_hung(shown):
        return shown, ()
    with warnings_recorded() as warned, _alarm():
        trips = RoundTrips(alive=_rewind)
        runs = Runs(target, Unhurried(None), warned, after_run=trips)
        failure = shown or first_failure(stored, runs)
        notes = play_again(stored, failure, runs).notes() if failure else ()
        runs.close()
    return failure, notes


def _is_hung(failure: Failure | None) -> bool:
    return failure is not None and isinstance(failure.disagreement.actual, Hung)


def _echo_log(warned: Warned, *, log: bool) -> None:
    """Print what was logged in the step that has just ended, if that was asked for."""
    for line in warned.logged.take():
        if log:
            click.echo(f"        log: {line}")


def _round_trip(runs: Runs, lockstep: Lockstep, header: Header) -> Failure | None:
    """Look for the leak that a trace was kept for, if it was."""
    if not header.round_trip:
        return None
    click.echo("        torn down, and repeated on the same system")
    try:
        runs.look(lockstep, header)
    except Divergence as divergence:
        return divergence.failure
    return None


class Unhurried(Recorder):
    """Keeps nothing, and gives each step of many runs its whole time."""

    def begin(self, header: bytes) -> None:
        _rewind()
        super().begin(header)

    def record(self, number: int, operation: Operation) -> None:
        _rewind()
        super().record(number, operation)


def _rewind() -> None:
    """Give the next step its whole time."""
    signal.setitimer(signal.ITIMER_REAL, HANG_S)


def _line(shown: Step | Skipped, wide: int, mark: str = "  ") -> str:
    start = f"{mark}{shown.number:>4}  {shown.operation!s:<{wide}}"
    if isinstance(shown, Skipped):
        return f"{start}  skipped: {shown.because}"
    same = shown.actual is shown.expected
    return f"{start}  {shown.expected} | {'the same' if same else shown.actual}"


@contextmanager
def _alarm() -> Iterator[None]:
    """Raise NotDone in a step that takes longer than HANG_S seconds, where the main thread can."""

    def ring(_number: int, frame: FrameType | None) -> None:
        where = f"{frame.f_code.co_qualname} line {frame.f_lineno}" if frame else "no frame"
        raise NotDone(f"{HANG_S:g} s", where)

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, HANG_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _origin(header: Header) -> str:
    how = f"{header.engine} ({header.tactic})" if header.tactic else header.engine
    if not how:
        return f"a trace of {header.contract}"
    return f"found by {how}, seed {header.seed}, run {header.run}, steps up to {header.steps_max}"


def _scenario(header: Header) -> type[Scenario[Any]] | None:
    try:
        return load_scenario(header.scenario)
    except BadName as error:
        click.echo(f"arguments are left as they are: {error}", err=True)
        return None
