"""Turns that are stored at the same time, by callers who wait, and by some who leave."""

from __future__ import annotations

from threadline import Scenario, pool

from models.stored_turns import StoredTurns


class Turns(Scenario[StoredTurns]):
    """One after another."""

    settings = {"pool_size": pool(10, 1, 2)}


class TurnsAtOnce(Turns):
    """By many at once, for whom there are many places, or too few."""

    overlap = True


class TurnsCancelled(TurnsAtOnce):
    """Some of whom leave in the middle of a statement."""

    cancels = True
