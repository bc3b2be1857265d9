"""What a campaign has reached on each driver: operations and outcomes, the never called first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .record import Record, ScenarioRecord


@dataclass(frozen=True, slots=True)
class Row:
    """An operation: how often each outcome came, the most frequent first. `share` is of 100."""

    kind: str
    outcomes: Sequence[tuple[str, int]]
    share: int

    @property
    def calls(self) -> int:
        return sum(n for _, n in self.outcomes)


@dataclass(frozen=True, slots=True)
class Coverage:
    """What all scenarios on one driver have reached together."""

    driver: str
    rows: Sequence[Row]
    scenarios: Sequence[ScenarioRecord]

    @property
    def never(self) -> list[str]:
        """The operations that no scenario has called on it."""
        return [row.kind for row in self.rows if not row.calls]

    @property
    def states(self) -> int:
        return sum(each.states for each in self.scenarios)

    @property
    def transitions(self) -> int:
        return sum(each.transitions for each in self.scenarios)


def coverage_of(record: Record) -> list[Coverage]:
    """Return what was reached on each driver, in the order of the record."""
    drivers = dict.fromkeys(each.driver for each in record.scenarios)
    return [
        _on(driver, [each for each in record.scenarios if each.driver == driver])
        for driver in drivers
    ]


def _on(driver: str, scenarios: Sequence[ScenarioRecord]) -> Coverage:
    sums: dict[str, Counter[str]] = {}
    for each in scenarios:
        for kind, outcomes in each.operations.items():
            sums.setdefault(kind, Counter()).update(outcomes)
    most = max((counts.total() for counts in sums.values()), default=0)
    rows = [
        Row(kind, _by_count(counts), _share(counts.total(), most)) for kind, counts in sums.items()
    ]
    return Coverage(driver, sorted(rows, key=lambda row: (row.calls, row.kind)), scenarios)


def _by_count(outcomes: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(outcomes.items(), key=lambda pair: (-pair[1], pair[0]))


def _share(number: int, most: int) -> int:
    """Return the length of a bar: by the number of binary digits, as counts differ so much."""
    return round(100 * number.bit_length() / max(1, most.bit_length()))
