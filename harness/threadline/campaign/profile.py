"""A profile: how much is tried by default."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """The number of runs for each engine, and of steps in a run; the figures are our choice.

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
        Profile("quick", runs=500, examples=100),
        Profile("ci", runs=5_000, examples=500),
        Profile("nightly", runs=50_000, examples=5_000, depth=4),
    )
}
