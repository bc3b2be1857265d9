"""A profile: how much is tried when nothing says how much."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """Runs of each engine, and steps of a run; the figures are our choice.

    `runs` is for explore; Hypothesis takes ten times as long for a run, and gets `examples`;
    `depth` is for exhaust.
    """

    name: str
    runs: int
    examples: int
    steps: int = 50
    depth: int = 3


PROFILES = {
    profile.name: profile
    for profile in (
        Profile("quick", runs=2_000, examples=200),
        Profile("ci", runs=10_000, examples=1_000),
        Profile("nightly", runs=100_000, examples=10_000, depth=4),
    )
}
