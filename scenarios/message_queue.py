"""A queue that is mostly full, whose messages fail, and whose sessions end."""

from __future__ import annotations

from threadline import Handle, Now, Pool, Scenario, pool, rule, sometimes

from models.message_queue import MessageQueue as Queue
from scenarios.population import TEXTS

USERS, THREADS = pool("ana", "ben", "cleo", identity=True), pool("t", "u", identity=True)
TAKEN: Pool[Handle] = Pool(lambda now: list(now.model.taken))
# Retries come after 1, 2, 4, 8 and 16 s, and a wait for room ends after 3: below, on and above.
PAUSES_S = pool(1, 1, 2, 3, 4, 8, 15, 16)


def _rests_before_others(now: Now) -> bool:
    """Return whether a message that has failed holds up another one of its thread."""
    lines = now.model.lines.of.values()
    return any(line[0].failures and not line[0].is_taken and len(line) > 1 for line in lines)


def _was_removed(now: Now) -> bool:
    """Return whether a message that was taken is in the queue no more."""
    waiting = now.model.lines.all()
    return any(each not in waiting for each in now.model.taken.values())


class QueueByHand(Scenario[Queue], bare=True):
    """What is taken next, what rests, what makes room, and what is given up."""

    settings = {
        "queue_max": pool(4, 3, 10),
        "queue_max_per_user": pool(200, 2, 3),
        "dead_letters_max": pool(1, 2, 1_000),
        "queue_wait_s": pool(3),
    }

    put = rule(
        Queue.put, user=USERS, thread=THREADS, priority=pool(0, 1, 2, 3), text=TEXTS, weight=8
    )
    take_up = rule(Queue.take_up, user=USERS, thread=THREADS, text=TEXTS, weight=2)
    take = rule(Queue.take, busy=pool((), (), ("ana",), ("ana", "ben")), weight=8)
    succeed = rule(Queue.succeed, queued=TAKEN, weight=2)
    fail = rule(Queue.fail, queued=TAKEN, weight=6)
    put_back = rule(Queue.put_back, queued=TAKEN)
    remove_user = rule(Queue.remove_user, user=USERS)
    remove_thread = rule(Queue.remove_thread, user=USERS, thread=THREADS)
    remove_odd = rule(Queue.remove_odd, weight=2)
    next_rest = rule(Queue.next_rest, weight=2)
    end = rule(Queue.end, user=USERS, thread=THREADS, weight=3)
    await_room = rule(Queue.await_room, user=USERS, weight=2)
    wait = rule(Queue.wait, seconds=PAUSES_S, weight=6)

    held_up = sometimes("a message waits behind one that has failed", _rests_before_others)
    all_wait = sometimes(
        "every user has a message in line",
        lambda now: {user for user, _ in now.model.lines.of} == set(USERS.identities),
    )
    gone = sometimes("a message is removed while it is taken", _was_removed)


class DeadLetters(QueueByHand):
    """Few messages, which fail until they are given up."""

    settings = {**QueueByHand.settings, "queue_max": pool(10)}

    put = rule(Queue.put, user=USERS, thread=THREADS, priority=pool(2), text=TEXTS, weight=2)
    drain = rule(Queue.drain, weight=8)
    wait = rule(Queue.wait, seconds=pool(16), weight=6)
    remove_user = rule(Queue.remove_user, user=USERS)
    remove_thread = rule(Queue.remove_thread, user=USERS, thread=THREADS)
    take = take_up = succeed = fail = put_back = end = await_room = remove_odd = None

    gone = None  # as each that is taken fails at once
    given_up = sometimes("a message is given up", lambda now: now.model.census()["dead_letters"])
    dropped = sometimes(
        "a dead letter goes to make room for another",
        lambda now: now.model.census()["counts"]["dead_letters_dropped"] > 0,
    )
