"""Turns that are stored at the same time, by callers who wait, and by some who leave."""

from __future__ import annotations

from threadline import Now, Scenario, pool, rule, sometimes

from models.stored_turns import AGO_S, MESSAGES, RUNS, THREADS, USERS, StoredTurns


def _is_due(now: Now) -> bool:
    """Return whether a thread is stored that is not told of any more."""
    told = sum(len(now.model.threads_of(user)) for user in USERS.identities)
    return told < len(now.model.threads)


def _has_two_runs(now: Now) -> bool:
    """Return whether a thread has turns of two runs."""
    threads = now.model.threads.values()
    return any(len({run for _, run, _ in each.turns}) > 1 for each in threads)


class Turns(Scenario[StoredTurns]):
    """One after another, until they are old."""

    settings = {"pool_size": pool(10, 1, 2), "retention_s": pool(4, 100)}

    wait = rule(StoredTurns.wait, seconds=pool(1, 2, 3), weight=6)
    remove_due = rule(StoredTurns.remove_due, user=USERS, thread=THREADS, ago_s=AGO_S, weight=2)
    say_first = rule(
        StoredTurns.say_first, user=USERS, thread=THREADS, run=RUNS, message=MESSAGES, weight=2
    )

    two_runs = sometimes("a thread has turns of two runs", _has_two_runs)
    due = sometimes("a thread is due, and not yet removed", _is_due)


class TurnsAtOnce(Turns):
    """By many at once, for whom there are many places, or too few."""

    settings = {"pool_size": pool(10, 1, 2)}
    overlap = True

    wait = remove_due = say_first = None

    due = None  # as no time passes
    ended = sometimes(
        "a thread that was ended has turns",
        lambda now: any(not each.run for each in now.model.threads.values()),
    )


class TurnsCancelled(TurnsAtOnce):
    """Some of whom leave in the middle of a statement."""

    cancels = True
