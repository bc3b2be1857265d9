"""`threadline replay` and `threadline minimise`: one stored trace, again and smaller."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click

from ..allowed import driver_to_give
from ..campaign.chance import Least, first_failure, least_of, play_again
from ..failure import Divergence, Failure, failure_text
from ..history import Step, count, folded, operation_text, step_lines
from ..leaks.round_trip import RoundTrips
from ..loading import Target
from ..lockstep.lockstep import Lockstep
from ..lockstep.recorders import WarningRecorder, warnings_recorded
from ..lockstep.run import Runs, Skipped, play
from ..operation import Operation
from ..outcome import Hung
from ..printable import printable, quoted
from ..trace import Header, Recorder, Trace, save
from .cli_names import tell, usage_errors
from .stored import alarm, compared, opened, played, remarks, rewind, stored_scenario

trace_argument = click.argument("trace", type=click.Path(path_type=Path))
driver_option = click.option(
    "--driver", metavar="MODULE:NAME", help="Another driver than the one that the trace names."
)


@click.command()
@trace_argument
@driver_option
@click.option("--step", is_flag=True, help="Wait for Enter before each step.")
@click.option("--log", is_flag=True, help="Show what the system logs and warns in each step, too.")
@click.option("--full", is_flag=True, help="Show values whole, however long.")
@usage_errors
def replay(trace: Path, driver: str | None, *, step: bool, log: bool, full: bool) -> None:
    """Play a trace again, step by step.

    Shows each step and what came of it, and where they part the model's side beside the system's.
    Exits with 0 where the system agrees,
    and with 1 at the step where it diverges, or does not come back for 10 seconds. A trace that
    fails is then played 5 times more, to tell whether it does each time; so is one that was a
    failure and agrees now, which exits with 1 where it fails in any of 10 plays.
    """
    target, stored = opened(trace, driver)
    _introduce(trace, target, stored)
    with played(trace):
        seen = _show(target, stored, wait=step, log=log, full=full)
        failure, notes = _again(target, stored, seen)
    if seen is None:
        tell(f"agrees on all {count(len(stored.operations), 'operation')}")
    if failure is not None:
        tell("")
        on = driver_to_give(target)
        click.echo(failure_text(failure, str(trace), notes, driver=on, full=full))
    tell(*compared(stored.header, failure))
    sys.exit(0 if failure is None else 1)


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
    target, stored = opened(trace, driver)
    tell(*remarks(stored, target))
    with played(trace):
        failure, least = _least(target, stored)
    tell(*compared(stored.header, failure))
    if failure is None or least is None:
        tell(f"{printable(str(trace))} does not fail: there is nothing to minimise")
        sys.exit(1)
    if not least.replays:
        click.echo(failure_text(failure, str(trace), least.notes, driver=driver_to_give(target)))
        tell("not made shorter: it fails too seldom")
        sys.exit(1)
    header = replace(least.trace.header, driver=target.name, signature=str(failure.signature))
    path = trace.with_suffix(".least.jsonl")
    saved = save(path, Trace(header, least.trace.operations))
    driver_name = driver_to_give(target)
    click.echo(failure_text(least.failure, saved, least.notes, driver=driver_name))
    before, after = len(stored.operations), len(least.trace.operations)
    tell(f"from {before} to {count(after, 'step')}, in {count(least.replays, 'replay')}")
    if not saved:
        raise click.FileError(str(path), hint="the trace above could not be written")


def _least(target: Target, stored: Trace) -> tuple[Failure | None, Least | None]:
    """Return the failure of a trace, and what is left of it when it is minimised."""
    with warnings_recorded() as warned, alarm():
        runs = Runs(target, Unhurried(None), warned, after_run=RoundTrips(alive=rewind))
        failure = first_failure(stored, runs)
        if failure is None:
            return None, None
        scenario = stored_scenario(stored.header, target)
        return failure, least_of(stored, failure, runs, scenario)


def _introduce(trace: Path, target: Target, stored: Trace) -> None:
    """Print what is played, on what, and what is not as it was when the trace was made."""
    tell(printable(str(trace)))
    for line in (_origin(stored.header), f"on {target.name}", *remarks(stored, target)):
        tell(f"  {line}")


def _show(target: Target, stored: Trace, *, wait: bool, log: bool, full: bool) -> Failure | None:
    """Print each step as it ends, so that one without an end is seen as well."""
    tell("  step  operation, and what came of it: the same on both sides until they part")
    with warnings_recorded() as warned, alarm():
        runs = Runs(target, Recorder(None), warned, after_run=RoundTrips(alive=rewind))
        try:
            with runs.begin(stored.header) as lockstep:
                played, told = play(lockstep, stored.operations), 0
                while (step := _next(played, wait=wait)) is not None:
                    told = _tell(step, lockstep, told, full=full)
                    _echo_log(warned, log=log)
                    rewind()
                lockstep.finish()
                _tell(None, lockstep, told, full=full)
                _round_trip(runs, lockstep, stored.header)
        except Divergence as divergence:
            if not divergence.failure.is_after_run:
                tell(*_lines(divergence.failure.step, "->", full=full))
                _echo_log(warned, log=log)
            return divergence.failure
    return None


def _tell(step: Step | Skipped | None, lockstep: Lockstep, told: int, *, full: bool) -> int:
    """Print the steps that are judged by now, after the first `told`; return how many these are.

    Where operations overlap, what one came to is known later than that it has begun.
    """
    for each in lockstep.steps[told:]:
        tell(*_lines(each, full=full))
    if isinstance(step, Skipped):
        tell(*_lines(step, full=full))
    return len(lockstep.steps)


def _next(shown: Iterator[Step | Skipped], *, wait: bool) -> Step | Skipped | None:
    """Play the next step, after Enter if there is to be a wait; None where there is none."""
    if wait:
        click.prompt("", default="", prompt_suffix="", show_default=False)
    return next(shown, None)


def _again(
    target: Target, stored: Trace, shown: Failure | None
) -> tuple[Failure | None, tuple[str, ...]]:
    """Play a trace again, and return how it fails, and what is to be said of chance."""
    if (shown is None and not stored.header.signature) or _is_hung(shown):
        return shown, ()
    with warnings_recorded() as warned, alarm():
        trips = RoundTrips(alive=rewind)
        runs = Runs(target, Unhurried(None), warned, after_run=trips)
        failure = shown or first_failure(stored, runs)
        notes = play_again(stored, failure, runs).notes() if failure else ()
        runs.close()
    return failure, notes


def _is_hung(failure: Failure | None) -> bool:
    return failure is not None and isinstance(failure.disagreement.actual, Hung)


def _echo_log(warned: WarningRecorder, *, log: bool) -> None:
    """Print what was logged in the step that has just ended, if that was asked for."""
    for line in warned.logged.take():
        if log:
            tell(f"        log: {line}")


def _round_trip(runs: Runs, lockstep: Lockstep, header: Header) -> None:
    """Look for the leak that a trace was kept for, if it was."""
    if header.round_trip:
        tell("        torn down, and repeated on the same system")
        runs.look(lockstep, header)


class Unhurried(Recorder):
    """Keeps nothing, and gives each step of many runs its whole time."""

    def begin(self, header: bytes) -> None:
        rewind()
        super().begin(header)

    def record(self, number: int, operation: Operation) -> None:
        rewind()
        super().record(number, operation)


def _lines(step: Step | Skipped, mark: str = "  ", *, full: bool) -> list[str]:
    start = f"{mark}{step.number:>4}  "
    if isinstance(step, Skipped):
        return folded(
            start, f"{operation_text(step.operation)}  skipped: {step.because}", len(start)
        )
    return step_lines(start, step, full=full)


def _origin(header: Header) -> str:
    tactic = f"{header.tactic}, adversarial" if header.adversarial else header.tactic
    how = f"{header.engine} ({tactic})" if tactic else header.engine
    if not how:
        return f"a trace of {quoted(header.contract)}"
    how = quoted(how)
    return f"found by {how}, seed {header.seed}, run {header.run}, steps up to {header.steps_max}"
