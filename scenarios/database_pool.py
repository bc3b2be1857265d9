"""A pool so small that it is mostly taken, and who waits for a place of it."""

from __future__ import annotations

from threadline import Handle, Now, Pool, Scenario, pool, rule, sometimes

from models.database_pool import DatabasePool

HOLDING: Pool[Handle] = Pool(
    lambda now: [each for each, until_s in now.model.holding.items() if until_s is None]
)
IN_LINE: Pool[Handle] = Pool(lambda now: list(now.model.line))
HELD: Pool[Handle] = Pool(lambda now: list(now.model.holding))


def _comes_too_late(now: Now) -> bool:
    """Return whether a place will come free at the very second at which a wait for one is over."""
    return any(each.due_s in now.model.holding.values() for each in now.model.line.values())


class Places(Scenario[DatabasePool], bare=True):
    """One or two places, waits that end at the second at which a place comes free, or do not."""

    settings = {"pool_size": pool(1, 2), "pool_timeout_s": pool(3)}

    take = rule(DatabasePool.take, held_s=pool(None, 2, 3, 5), weight=4)
    hold = rule(DatabasePool.hold, held_s=pool(2, 3, 5), weight=2)
    give_back = rule(DatabasePool.give_back, session=HOLDING, weight=3)
    cancel = rule(DatabasePool.cancel, session=IN_LINE | HELD)
    hand_over = rule(DatabasePool.hand_over, session=HOLDING, cancelled=IN_LINE)
    wait = rule(DatabasePool.wait, seconds=pool(1, 2, 3), weight=3)

    in_line = sometimes("two wait for a place", lambda now: len(now.model.line) > 1)
    late = sometimes("a place comes free as a wait is over", _comes_too_late)
