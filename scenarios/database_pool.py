"""A pool so small that it is mostly taken, and who waits for a place of it."""

from __future__ import annotations

from threadline import Handle, Pool, Scenario, pool, rule

from models.database_pool import DatabasePool

HOLDING: Pool[Handle] = Pool(
    lambda now: [each for each, until_s in now.model.holding.items() if until_s is None]
)
IN_LINE: Pool[Handle] = Pool(lambda now: list(now.model.line))
HELD: Pool[Handle] = Pool(lambda now: list(now.model.holding))


class Places(Scenario[DatabasePool], bare=True):
    """One or two places, waits that end at the second at which a place comes free, or do not."""

    settings = {"pool_size": pool(1, 2), "pool_timeout_s": pool(3)}

    take = rule(DatabasePool.take, held_s=pool(None, 2, 3, 5), weight=4)
    hold = rule(DatabasePool.hold, held_s=pool(2, 3, 5), weight=2)
    give_back = rule(DatabasePool.give_back, session=HOLDING, weight=3)
    cancel = rule(DatabasePool.cancel, session=IN_LINE | HELD)
    hand_over = rule(DatabasePool.hand_over, session=HOLDING, cancelled=IN_LINE)
    wait = rule(DatabasePool.wait, seconds=pool(1, 2, 3), weight=3)
