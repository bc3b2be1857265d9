"""Turns that are stored at the same time, by callers who wait, and by some who leave."""

from __future__ import annotations

from threadline import Scenario, pool, rule

from models.stored_turns import MESSAGES, RUNS, THREADS, USERS, StoredTurns


class Turns(Scenario[StoredTurns]):
    """One after another, until they are old."""

    settings = {"pool_size": pool(10, 1, 2), "retention_s": pool(4, 100)}

    wait = rule(StoredTurns.wait, seconds=pool(1, 2, 3), weight=6)
    remove_due = rule(StoredTurns.remove_due)
    say_first = rule(
        StoredTurns.say_first, user=USERS, thread=THREADS, run=RUNS, message=MESSAGES, weight=2
    )


class TurnsAtOnce(Turns):
    """By many at once, for whom there are many places, or too few."""

    settings = {"pool_size": pool(10, 1, 2)}
    overlap = True

    wait = remove_due = say_first = None


class TurnsCancelled(TurnsAtOnce):
    """Some of whom leave in the middle of a statement."""

    cancels = True
