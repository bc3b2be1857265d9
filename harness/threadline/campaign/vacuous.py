"""Vacuity: a campaign that never comes to what a scenario is for shows little, however long."""

from __future__ import annotations

from collections.abc import Sequence

RUNS = 300  # after which a goal that no run has met makes a campaign fail; our choice


def is_vacuous(runs: int, unmet: Sequence[str]) -> bool:
    """Return whether so many runs of a scenario should have met these goals."""
    return bool(unmet) and runs >= RUNS


def unmet_lines(runs: int, unmet: Sequence[str]) -> list[str]:
    """Return a line for each goal that was not met in so many runs."""
    what = "vacuous: never comes to this" if is_vacuous(runs, unmet) else "has not come to this"
    return [f"{what}: {goal}" for goal in unmet]
