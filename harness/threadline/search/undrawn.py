"""The values of a scenario's pools that no operation had."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..lockstep.lockstep import Lockstep, Record
from ..operation import Operation
from ..pool import Now
from ..printable import quoted
from ..rule import TOGETHER, Rule

NAMED_MAX = 3  # of the values of one pool


class Undrawn:
    """Follows runs, and strikes out each value that an operation of its rule's kind had.

    Those of pools that change are not known beforehand, and so are left out.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._left = [
            (rule, name, [*pool.constant])
            for rule in rules
            for name, pool in rule.pools
            if pool.constant
        ]
        self._played: set[str] = set()

    def begin(self, header: bytes, now: Now, record: Record) -> Record:  # noqa: ARG002  # as a follower
        """Return what to call in place of `record`, before each step of a run that begins."""
        if not self._left:
            return record

        def look(number: int, operation: Operation) -> None:
            self._look(operation)
            record(number, operation)

        return look

    def end(self, lockstep: Lockstep) -> None:
        """Do nothing: what was drawn is known by the steps."""

    def lines(self) -> Iterator[str]:
        """Yield a line for each pool of a rule that was played, of which values were not drawn."""
        for rule, name, left in self._left:
            if rule.operation.kind in self._played:
                named = ", ".join(quoted(repr(value)) for value in left[:NAMED_MAX])
                more = f" and {len(left) - NAMED_MAX} more" if len(left) > NAMED_MAX else ""
                what = "" if name == TOGETHER else f"{name} "
                yield f"rule {rule.name} never drew {what}{named}{more}"

    def _look(self, operation: Operation) -> None:
        self._played.add(operation.kind)
        for rule, name, left in self._left:
            if rule.operation.kind == operation.kind:
                left[:] = [value for value in left if not _has(operation, rule, name, value)]
        self._left = [each for each in self._left if each[2]]


def _has(operation: Operation, rule: Rule, name: str, value: object) -> bool:
    """Return whether an operation has a value of the pool of this name."""
    argument, _, place = name.partition(".")
    if place:
        item = getattr(operation, argument)
        return _same(item[int(place)], value)
    return all(
        _same(getattr(operation, each), given) for each, given in rule.given_by(name, value).items()
    )


def _same(one: object, other: object) -> bool:
    return repr(one) == repr(other)  # as 1 is not True, however deep
