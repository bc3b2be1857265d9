"""Declared bounds: what a user promises that containers hold at most."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounded:
    """A promise that the containers on a path hold at most so much together.

    It is checked at the end of each run that is examined: on the live system, and after the
    teardown. `path` is the short name that a report shows, in which * stands for anything.
    """

    path: str
    at_most: int


def bounded(path: str, at_most: int) -> Bounded:
    """Declare a bound, to be listed in a driver's `bounds`; it is then asserted.

    Raises ValueError for a bound below 0.
    """
    if at_most < 0:
        raise ValueError(f"{path} cannot hold {at_most}; give the most that it may hold, 0 or more")
    return Bounded(path, at_most)
