"""Values of a scenario's pools that no operation had are told."""

from __future__ import annotations

from threadline import Model, Operation, Scenario, operation, pool, rule
from threadline.pool import Now
from threadline.search.undrawn import Undrawn


class Named(Model):
    """Somebody is called, by one name or with a pair."""

    @operation
    def call(self, name: object, pair: tuple[str, object], loud: int) -> None:
        """Somebody is called."""


class Drawing(Scenario[Named]):
    """Two rules of one operation."""

    whole = rule(Named.call, pool(("ana", ("a", 1)), ("ben", ("a", 1))), loud=pool(0, 1))
    parts = rule(Named.call, name=pool(0, 1, 2, 3, 4), pair=(pool("a", ""), pool(1)), loud=0)


def undrawn(*operations: Operation) -> list[str]:
    """Return what is told of Drawing, once it was followed through these operations."""
    follower = Undrawn(Drawing.rules())
    look = follower.begin(b"", Now(Named()), lambda number, operation: None)
    for number, each in enumerate(operations, 1):
        look(number, each)
    return list(follower.lines())


def test_values_that_no_operation_had_are_told() -> None:
    """
    Of a rule that was played, pool by pool; 1 is not True.
    """
    said = undrawn(Named.call("ana", ("a", True), 0), Named.call(0, ("a", 2), 0))

    assert said == [
        "rule whole never drew ('ana', ('a', 1)), ('ben', ('a', 1))",
        "rule whole never drew loud 1",
        "rule parts never drew name 1, 2, 3 and 1 more",
        "rule parts never drew pair.0 ''",
        "rule parts never drew pair.1 1",
    ]


def test_nothing_is_told_of_what_was_drawn_or_never_played() -> None:
    """
    A rule that has never fired is told as that.
    """
    drawn = [("ana", "a"), ("ben", ""), (0, "a"), (1, "a"), (2, "a"), (3, "a"), (4, "a")]

    every = [Named.call(name, (first, 1), int(name == "ben")) for name, first in drawn]

    assert undrawn() == []
    assert undrawn(*every) == ["rule whole never drew ('ben', ('a', 1))"]
