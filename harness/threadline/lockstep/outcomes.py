"""What an operation comes back with, from a model and from a driver."""

from __future__ import annotations

import gc
import os
import signal
import traceback
from asyncio import CancelledError, Task
from collections.abc import Awaitable, Coroutine
from dataclasses import replace
from pathlib import Path
from types import CoroutineType
from typing import Any

from ..driver import Driver, DriverError
from ..handle import Dangling, Handle
from ..model import Model
from ..operation import Operation
from ..outcome import (
    LATER,
    Crashed,
    Hung,
    Ok,
    Outcome,
    Refuse,
    Refused,
    Told,
    Unknown,
    Unpredictable,
)
from ..pump import NotDone, Pump
from ..shown import without_addresses


class ModelError(RuntimeError):
    """A model raised what it has no reason to: it is wrong itself, or was asked the impossible."""


OUTCOMES = frozenset({Ok, Refused, Crashed, Hung, Unknown})
# Values of these types, by far the most, are neither awaitable nor outcomes.
PLAIN = frozenset({type(None), bool, int, float, str, bytes, list, tuple, dict, set})
# A step that was not played: its handle names nothing, or nobody knows what is right.
UNPLAYED = (Dangling, Unpredictable)
DONE = Ok()
MOMENTS_MAX = 10_000  # of one operation, and of all that it lets go on; our choice
TEXT_MAX = 10_000  # characters of one value or error; our choice
OURS = f"{Path(__file__).parents[1]}{os.sep}"


def expected_of(model: Model, operation: Operation) -> Outcome:
    """Apply an operation to a model, and return the outcome that is right.

    Raises Dangling for a handle that the model does not know, Unpredictable, and ModelError.
    """
    try:
        value = operation.expect(model)
        if type(value) in PLAIN and model._told is None and not model._settles:
            return DONE if value is None else Ok(value)
    except Exception as error:
        value = _refusal(model, error, str(operation))
    return _settled_in(model, value)


def went_on(model: Model, step: int) -> Outcome:
    """Do the next moment of a step in a model; return what was told, and its outcome or LATER.

    Raises as `expected_of` does.
    """
    try:
        value = model.go_on(step)
    except Exception as error:
        value = _refusal(model, error, f"step {step}, which goes on")
    return _settled_in(model, value)


def left_off(model: Model, step: int) -> Outcome:
    """End a step in a model where it is, and return what was told by that.

    Raises as `expected_of` does.
    """
    try:
        model.leave_off(step)
    except Exception as error:
        _refusal(model, error, f"step {step}, whose caller has left")
    return _settled_in(model, LATER)


def whole_of(model: Model, number: int, first: Outcome) -> Outcome:
    """Do all that goes on after the first moment of a step, in order; return what it comes to."""
    outcome = first
    for _ in range(MOMENTS_MAX):
        steps = model.goes_on()
        if not steps and not is_later(outcome):
            return outcome
        if not steps:
            break
        step = steps[0]  # a model may return what it changes as it goes on
        outcome = joined(outcome, went_on(model, step), is_own=step == number)
    raise ModelError(f"{type(model).__name__} never tells the outcome of step {number}")


def redo(model: Model, operation: Operation) -> None:
    """Do the first moment of an operation in a model that has done it before, for its state alone.

    Raises as `expected_of` does.
    """
    try:
        operation.expect(model)
    except Exception as error:
        _refusal(model, error, str(operation))
    _settle(model)


def redo_next(model: Model, step: int) -> None:
    """Do the next moment of a step in a model that has done it before, for its state alone."""
    try:
        model.go_on(step)
    except Exception as error:
        _refusal(model, error, f"step {step}, which goes on")
    _settle(model)


def redo_all(model: Model) -> None:
    """Do all that goes on in a model that has done it before, in order, for its state alone."""
    while steps := model.goes_on():
        redo_next(model, steps[0])


def _settle(model: Model) -> None:
    if model._settles:
        model.settle()
    model._told = None


def is_later(outcome: Outcome) -> bool:
    """Return whether a later moment tells what an operation comes to."""
    return isinstance(outcome, Ok) and outcome.value is LATER


def joined(before: Outcome, more: Outcome, *, is_own: bool) -> Outcome:
    """Return an outcome together with a later moment's: its own, or one that only tells more."""
    outcome = more if is_own and not is_later(more) else before
    if not isinstance(outcome, (Ok, Refused)):
        return outcome
    told: dict[object, list[object]] = {}
    for each in (before, more):
        for to, what in (each.told or {} if isinstance(each, (Ok, Refused)) else {}).items():
            told.setdefault(to, []).extend(what)
    return replace(outcome, told=told or None)


def _refusal(model: Model, error: Exception, what: str) -> Refused:
    """Return what a model's exception stands for, or raise it as its own fault."""
    if isinstance(error, Refuse):
        return Refused(error.reason, error.because, says=error.says)
    if isinstance(error, (Dangling, Unpredictable)):
        raise error
    if isinstance(error, KeyError) and error.args and type(error.args[0]) is Handle:
        raise Dangling(error.args[0]) from None
    raise ModelError(f"{type(model).__name__} raised {error!r} in {what}") from error


def _settled_in(model: Model, value: Any) -> Outcome:
    """Return a model's outcome once it has done what comes of it by itself."""
    if model._settles:
        model.settle()
    if (told := model._told) is not None:
        model._told = None
    return _outcome(value, told)


def actual_of(driver: Driver[Any], operation: Operation) -> Outcome:
    """Apply an operation to a driver's system, and return what came back, whatever that is.

    What is ready beside it is done too. An exception of any kind that is no refusal is Crashed, and
    so is one that ended a task which nobody awaits. Only Ctrl-C is passed on.
    """
    try:
        value = operation.apply(driver)
        if type(value) in PLAIN:
            if driver._pump is None and driver._told is None:
                return DONE if value is None else Ok(value)
        else:
            value = _awaited(driver, value)
    except BaseException as error:
        value = raised(driver, error)
    return _settled(driver, value)


def begun(driver: Driver[Any], operation: Operation) -> Outcome | Coroutine[Any, Any, Any]:
    """Make the call of an operation, and return what came back, or the coroutine that goes on."""
    try:
        value = operation.apply(driver)
        if type(value) is CoroutineType:
            return value
        if hasattr(value, "__await__") and isinstance(value, Awaitable):
            return _await(value)
    except BaseException as error:
        value = raised(driver, error)
    return _outcome(value, None)


def called(driver: Driver[Any], operation: Operation) -> Outcome:
    """Make the call of an operation to its end, and return what came back."""
    outcome = begun(driver, operation)
    if isinstance(outcome, (Ok, Refused, Crashed, Hung, Unknown)):
        return outcome
    outcome.close()
    raise DriverError(
        f"{type(driver).__name__}.{operation.kind} is async, and threads call what is not; write "
        "it with def, or leave out `threaded`"
    )


def ended(driver: Driver[Any], task: Task[Any]) -> Outcome:
    """Return the outcome of a task that is done."""
    if task.cancelled():
        return crashed(CancelledError("cancelled by the system"))
    error = task.exception()
    return _outcome(raised(driver, error) if error is not None else task.result(), None)


def _settled(driver: Driver[Any], value: Any) -> Outcome:
    """Return the outcome once all that is ready beside it is done."""
    try:
        if (pump := driver._pump) is not None:
            pump.settle()
            if died := died_beside(pump):
                value = died
    except BaseException as error:
        value = raised(driver, error)
    if (told := driver._told) is not None:
        driver._told = None
    return _outcome(value, told)


def _awaited(driver: Driver[Any], value: Any) -> Any:
    """Return what a coroutine comes to, or anything else that can be awaited; else the value."""
    if type(value) is CoroutineType:
        return driver.pump.call(value)
    if hasattr(value, "__await__") and isinstance(value, Awaitable):
        return driver.pump.call(_await(value))
    return value


async def _await(value: Awaitable[Any]) -> Any:
    return await value


def raised(driver: Driver[Any], error: BaseException) -> Outcome:
    """Return what an exception stands for: a refusal, a hang, or a crash."""
    if is_interrupt(error):
        raise error
    if isinstance(error, Refuse):
        return Refused(error.reason, error.because)
    if isinstance(error, NotDone):
        return Hung(error.limit, error.stacks)
    for kind, why in driver.refuses.items():
        if isinstance(error, kind):
            try:
                return Refused(why if isinstance(why, str) else why(error), text=str(error))
            except Exception as another:  # the driver cannot tell the reason
                return crashed(another)
    return crashed(error)


def is_interrupt(error: BaseException) -> bool:
    """Return whether somebody has pressed Ctrl-C; where that is ignored, the system raised it."""
    if not isinstance(error, KeyboardInterrupt):
        return False
    return signal.getsignal(signal.SIGINT) is not signal.SIG_IGN


def died_beside(pump: Pump) -> Crashed | None:
    """Return what ended a task that nobody can await any more, or a callback, if anything did."""
    if pump.has_failed_task():
        gc.collect()  # a failed task that only its own traceback holds is told of when it is freed
    if not pump.errors:
        return None
    context, *_ = pump.errors
    pump.errors.clear()
    found = crashed(context["exception"]) if context.get("exception") else Crashed("")
    task = context.get("task") or context.get("future")
    coroutine = task.get_coro() if isinstance(task, Task) else None
    name = getattr(coroutine, "__qualname__", "") or "a callback"
    what = f"error in task {name}" if coroutine is not None else "error in a callback"
    return Crashed(f"{what}: {found.error or context.get('message')}", found.where)


def crashed(error: BaseException) -> Crashed:
    """Return the outcome for an exception: stable text, and the innermost line that raised."""
    try:
        text = str(error)
    except BaseException as another:
        text = f"its text cannot be told: that raised {type(another).__name__}"
    if len(text) > TEXT_MAX:
        text = f"{text[:TEXT_MAX]} ... ({len(text):,} characters)"
    text = without_addresses(text)
    frames = traceback.extract_tb(error.__traceback__, limit=-1)
    last = frames[-1] if frames else None
    where = f"{last.filename.rpartition('/')[2]}:{last.lineno} {last.name}" if last else ""
    return Crashed(f"{type(error).__name__}: {text}" if text else type(error).__name__, where)


def _outcome(value: Any, told: Told | None) -> Outcome:
    """Return a method's value as an outcome, with what was told beside it."""
    if told is None and value is None:
        return DONE
    if type(value) not in OUTCOMES:
        return Ok(value, (), told)
    outcome: Outcome = value
    return replace(outcome, told=told) if told and isinstance(outcome, (Ok, Refused)) else outcome


def is_the_systems(error: BaseException) -> bool:
    """Return whether the system raised this outside of a step, rather than a model, a scenario or
    us.

    That is so where the innermost frame of our own files has ASKS_THE_SYSTEM, for its roots or what
    hangs on them, or where memory or stack was exhausted.
    """
    if isinstance(error, (MemoryError, RecursionError, KeyboardInterrupt)):
        return True
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    ours = [frame for frame in frames if frame.f_code.co_filename.startswith(OURS)]
    is_inside = bool(ours) and frames[-1] is not ours[-1]
    return is_inside and ours[-1].f_globals.get("ASKS_THE_SYSTEM", False) is True
