"""The rules of a scenario that have never fired, and what kept them from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..history import count
from ..pool import Now
from ..rule import Rule


@dataclass(slots=True)
class Tries:
    """How often a rule fired, its precondition did not hold, and each of its pools was empty."""

    fired: int = 0
    unmet: int = 0
    empty: dict[str, int] = field(default_factory=dict)

    def ask(self, rule: Rule, now: Now) -> bool:
        """Return whether a rule may fire now, and count why not."""
        if not rule.may_fire(now):
            self.unmet += 1
            return False
        for name, pool in rule.pools:
            if pool.constant is None and not pool.values(now):
                self.was_empty(name)
                return False
        return True

    def was_empty(self, name: str) -> None:
        """Count that a pool was empty; those behind it were not looked at."""
        self.empty[name] = self.empty.get(name, 0) + 1

    def why_unused(self, runs: int) -> str:
        """Return why a rule has never fired in so many runs."""
        if not self.empty:
            never_drawn = f"never drawn in {count(runs, 'run')}"
            return "its precondition never held" if self.unmet else never_drawn
        names = " or ".join(self.empty)
        if self.unmet:
            return f"its precondition held now and then, and its pool {names} was empty then"
        return f"its pool {names} was always empty"


def unused(tried: Mapping[str, Tries], runs: int) -> list[str]:
    """Return a line for each rule that has never fired, in the order of the scenario."""
    return [
        f"rule {name}: {tries.why_unused(runs)}" for name, tries in tried.items() if not tries.fired
    ]
