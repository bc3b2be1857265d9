"""The moments of calls: what a model does at each, and what an order of them tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from ..model import Model
from ..operation import Operation
from ..outcome import Ok, Outcome, Refused, Told
from ..schedule import Call
from .outcomes import (
    expected_of,
    is_later,
    left_off,
    redo,
    redo_all,
    redo_next,
    went_on,
    whole_of,
)

WHOLE = "whole"  # all of a call, and all that it lets go on, before anything else
FIRST = "first"  # its first moment
NEXT = "next"  # the next thing that it goes on with
LEFT = "left"  # it does nothing more: its caller has left
NEVER = "never"  # it has not happened at all


class Placed(NamedTuple):
    """A moment of a call in an order, and what the model expects of it there; None: not asked.

    `answers` says whether that is what the call came to.
    """

    call: Call
    expected: Outcome | None
    moment: str = WHOLE
    answers: bool = True


def done(model: Model, placed: Placed) -> Placed:
    """Do a moment of a call in a model, and return it with what is expected of it there.

    Raises as `outcomes.expected_of` does.
    """
    call = placed.call
    expected = played(model, call.number, call.operation, placed.moment)
    is_known = not is_later(expected)
    return placed._replace(expected=expected, answers=is_known)


def played(model: Model, number: int, operation: Operation, moment: str) -> Outcome:
    """Do a moment of a step in a model; raises as `outcomes.expected_of` does."""
    model.at(number)
    if moment == NEXT:
        return went_on(model, number)
    if moment == LEFT:
        return left_off(model, number)
    first = expected_of(model, operation)
    return whole_of(model, number, first) if moment == WHOLE else first


def redone(model: Model, number: int, operation: Operation, moment: str) -> None:
    """Do a moment of a step in a model again, for its state alone; raises as `played` does."""
    model.at(number)
    if moment == NEXT:
        redo_next(model, number)
    elif moment == LEFT:
        left_off(model, number)
    else:
        redo(model, operation)
        if moment == WHOLE:
            redo_all(model)


def untold(outcome: Outcome) -> Outcome:
    """Return an outcome without what was told beside it."""
    if isinstance(outcome, (Ok, Refused)) and outcome.told is not None:
        return replace(outcome, told=None)
    return outcome


def told_by(outcome: Outcome | None) -> Told:
    """Return what was told beside an outcome."""
    return (outcome.told or {}) if isinstance(outcome, (Ok, Refused)) else {}


def told_in(order: Sequence[Placed]) -> Told:
    """Return what is told in an order, one stream for each who is told."""
    found: dict[object, list[object]] = {}
    for placed in order:
        for to, what in told_by(placed.expected).items():
            found.setdefault(to, []).extend(what)
    return found
