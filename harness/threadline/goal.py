"""A goal of a scenario: what has to happen in some of its runs, or else they show little."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .pool import Now


@dataclass(frozen=True, slots=True)
class Goal:
    """What happens now and then, in words, and how it is seen from the model."""

    text: str
    holds: Callable[[Now], object]


def sometimes(
    text: str, holds: Callable[[Now], object]
) -> Any:  # Any: a Goal, or None in a class that takes it out
    """Return a goal for the class of a scenario: `full = sometimes("a list is full", ...)`.

    `holds` is asked before each step and at the end of a run, and returns whether the goal is met
    now. It must not change the model. `threadline coverage` exits with 1 where no run meets a goal.
    A class derived from that one takes it out with `full = None`.
    Raises ValueError for a text that says nothing.
    """
    if not text.strip():
        raise ValueError('a goal needs words; write sometimes("a list is full", lambda now: ...)')
    return Goal(text, holds)
