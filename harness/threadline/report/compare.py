"""Two campaigns side by side: what is new, what is fixed, what is still there, speed, coverage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..history import count, labelled
from .record import FailureRecord, Record


@dataclass(frozen=True, slots=True)
class Comparison:
    """The failures of two campaigns, told apart by signature and driver; `unplayed` are of the
    earlier one, where the later has not played their scenario on their driver.
    """

    before: Record
    after: Record
    new: tuple[FailureRecord, ...]
    fixed: tuple[FailureRecord, ...]
    still: tuple[FailureRecord, ...]
    unplayed: tuple[FailureRecord, ...]


def compared(before: Record, after: Record) -> Comparison:
    """Compare two campaigns. A failure of a driver and a scenario that the later one has not played
    is neither fixed nor still there.
    """
    old, now = _names(before), _names(after)
    played = {(each.name, each.driver) for each in after.scenarios if each.steps}
    gone = [each for each in before.failures if not now & _names_of(each)]
    return Comparison(
        before,
        after,
        new=tuple(each for each in after.failures if not old & _names_of(each)),
        fixed=tuple(each for each in gone if (each.scenario, each.driver) in played),
        still=tuple(each for each in after.failures if old & _names_of(each)),
        unplayed=tuple(each for each in gone if (each.scenario, each.driver) not in played),
    )


def _names(record: Record) -> set[tuple[str, str]]:
    return {name for each in record.failures for name in _names_of(each)}


def _names_of(failure: FailureRecord) -> set[tuple[str, str]]:
    """Return each signature that a failure was seen as, with its driver."""
    return {(name, failure.driver) for name in (failure.signature, *failure.also)}


def comparison_lines(found: Comparison) -> Iterator[str]:
    """Yield the lines of a comparison, folded to 80 columns."""
    yield from labelled("before:", f"{found.before.name}: {found.before.verdict}")
    yield from labelled("after:", f"{found.after.name}: {found.after.verdict}")
    for label, failures in (
        ("new:", found.new),
        ("still:", found.still),
        ("fixed:", found.fixed),
        ("unknown:", found.unplayed),
    ):
        for each in failures:
            why = ", which was not played again" if label == "unknown:" else ""
            text = f"{each.signature} in {each.scenario} on {each.driver}{why}"
            yield from labelled(label, text)
            if label == "new:" and each.replay:
                yield f"           {each.replay}"
    yield from labelled("speed:", _change(_speed(found.before), _speed(found.after), "steps/s"))
    yield from _coverage(found.before, found.after)
    yield (
        f"{count(len(found.new), 'failure')} new, {len(found.fixed)} fixed, "
        f"{len(found.still)} still there"
    )


def _speed(record: Record) -> float:
    return record.steps / record.took_s if record.took_s else 0.0


def _coverage(before: Record, after: Record) -> Iterator[str]:
    for unit, old, now in (
        ("states", _states(before), _states(after)),
        ("lines", _line_sum(before), _line_sum(after)),
    ):
        yield from labelled(f"{unit}:", _change(old, now, unit))
    was, called = _called(before), _called(after)
    for label, kinds in (("gained:", called - was), ("lost:", was - called)):
        if kinds:
            yield from labelled(label, f"operations {', '.join(sorted(kinds))}")


def _states(record: Record) -> int:
    return sum(each.states for each in record.scenarios)


def _line_sum(record: Record) -> int:
    return sum(each.line_count for each in record.scenarios)


def _called(record: Record) -> set[str]:
    return {
        kind
        for each in record.scenarios
        for kind, outcomes in each.operations.items()
        if any(outcomes.values())
    }


def _change(old: float, now: float, unit: str) -> str:
    share = f" ({100 * (now - old) / old:+.0f} %)" if old else ""
    return f"{old:,.0f} to {now:,.0f} {unit}{share}"
