"""A stored trace as a command is given it: read, its driver loaded, and compared with today."""

from __future__ import annotations

import signal
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import click

from ..allowed import OURS, scenario_of, target_of
from ..campaign.isolate import HANG_S
from ..failure import Failure
from ..loading import BadName, Target, load_target
from ..lockstep.outcomes import ModelError
from ..printable import printable, quoted
from ..pump import NotDone
from ..scenario import Scenario
from ..trace import BadTrace, Header, Trace, is_signature_of, plain, read, read_header, versions
from .cli_names import tell

# What ends a command otherwise than by the trace that it plays.
MAKING = ("new_model", "new_driver")  # where a constructor is called that takes other arguments
NOT_OF_A_TRACE = (BadName, BadTrace, BrokenPipeError, click.ClickException, click.Abort)


def opened(trace: Path, driver: str | None) -> tuple[Target, Trace]:
    """Return a trace, and the driver to play it on: the one given, or else the one it names.

    Raises BadTrace or BadName for what cannot be read, loaded or played.
    """
    name = printable(str(trace))
    header = read_header(trace)
    target = load_target(driver, header.settings) if driver else target_of(name, header)
    if target.model.name != header.contract:
        raise BadName(
            f"{name} is of the model {quoted(header.contract)}, and {target.name} drives "
            f"{target.model.name}; give --driver one of the same model"
        )
    stored = read(trace, target.model.kinds())
    with played(trace):
        target.new_model(header.settings)  # before the system is given what no model takes
    return target, stored


@contextmanager
def played(trace: Path) -> Iterator[None]:
    """Turn what a model or a driver raises at a trace into BadTrace: it cannot be played.

    What threadline raises itself is a bug of ours, and is not told as if it were the trace's.
    """
    try:
        yield
    except NOT_OF_A_TRACE:
        raise
    except ModelError as error:
        raise BadTrace(f"{printable(str(trace))} cannot be played: {quoted(str(error))}") from error
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        if Path(last.filename).is_relative_to(OURS) and last.name not in MAKING:
            raise
        where = f"{Path(last.filename).name}:{last.lineno}"
        told = quoted(f"{type(error).__name__}: {error}")
        raise BadTrace(f"{printable(str(trace))} cannot be played: {where}: {told}") from error


def remarks(stored: Trace, target: Target) -> Iterator[str]:
    """Yield what is not as it was when a trace was made, a line each."""
    if stored.is_cut:
        yield "cut short: its last line is not whole, and is left out"
    now = versions()
    for name, version in now.items():
        was = stored.header.versions.get(name, version)
        if was != version:
            yield f"made with {name} {quoted(was)}, and this is {version}"
    before, policy = stored.header.policy, plain(target.policy)
    for name in [*before, *(name for name in policy if name not in before)] if before else ():
        if before.get(name) != policy.get(name):
            old, new = quoted(repr(before.get(name))), quoted(repr(policy.get(name)))
            yield f"made under the policy {quoted(name)}={old}, and this driver has {new}"


def compared(header: Header, failure: Failure | None) -> Iterator[str]:
    """Yield a line where a trace does not come to the failure that it was kept for."""
    was = header.signature
    if was and failure is None:
        yield f"this trace was a failure: {quoted(was)}, and agrees now"
    elif was and failure is not None and not is_signature_of(was, failure.signature):
        yield f"this trace was a failure: {quoted(was)}, and fails as {failure.signature} now"


def stored_scenario(header: Header, target: Target) -> type[Scenario[Any]] | None:
    """Return the scenario that a trace names; None, with a word why, where there is none."""
    if not header.scenario:
        return None
    try:
        return scenario_of(header, target)
    except BadName as error:
        tell(f"arguments are left as they are: {error}", err=True)
        return None


@contextmanager
def alarm() -> Iterator[None]:
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


def rewind() -> None:
    """Give the next step its whole time."""
    signal.setitimer(signal.ITIMER_REAL, HANG_S)
