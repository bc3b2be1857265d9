"""Database sessions by hand: few of them, of which one writes while others wait to."""

from __future__ import annotations

from threadline import Handle, Now, Pool, Scenario, pool, rule, sometimes

from models.database_sessions import AWAITED, BLOCK, LINE_MAX, ROWS, DatabaseSessions

OPEN_MAX = 6  # so that each has a place, and one alone can write
CONNECTIONS = pool("c1", "c2")
ROOM: Pool[str] = Pool(lambda now: ["c1", "c2"] if len(now.model.still_open()) < OPEN_MAX else [])
WRITTEN: Pool[str] = Pool(lambda now: [f"text {now.step}"])
OPEN: Pool[Handle] = Pool(lambda now: [each.handle for each in now.model.still_open()])
FREE: Pool[Handle] = Pool(
    lambda now: [each.handle for each in now.model.sessions.values() if not each.asked]
)
AT_WORK: Pool[Handle] = Pool(
    lambda now: [
        each.handle
        for each in now.model.still_open()
        if each.has_place and len(each.asked) < LINE_MAX
    ]
)
WAITING: Pool[Handle] = Pool(lambda now: [each.handle for each in now.model.line])
ANY = AT_WORK | AT_WORK | FREE


def _waits_in_order(now: Now) -> bool:
    """Return whether a session that waits to write was asked for more."""
    return any(len(each.asked) > 1 for each in now.model.line)


class SessionsByHand(Scenario[DatabaseSessions], bare=True):
    """Transactions that wait for each other, fail, are left half way, and go on."""

    settings = {"pool_timeout_s": pool(3)}

    open = rule(DatabaseSessions.open, connection=ROOM, how=pool(AWAITED, BLOCK), weight=3)
    read = rule(DatabaseSessions.read, session=ANY, weight=3)
    write = rule(DatabaseSessions.write, session=ANY, row=pool(*ROWS), text=WRITTEN, weight=4)
    write_alone = rule(
        DatabaseSessions.write_alone, session=ANY, row=pool(*ROWS), text=WRITTEN, weight=2
    )
    begin_writing = rule(DatabaseSessions.begin_writing, session=ANY)
    commit = rule(DatabaseSessions.commit, session=ANY, weight=3)
    roll_back = rule(DatabaseSessions.roll_back, session=ANY, weight=2)
    close = rule(DatabaseSessions.close_session, session=FREE | OPEN, weight=2)
    close_all = rule(DatabaseSessions.close_all)
    leave = rule(DatabaseSessions.leave, session=WAITING)
    of_connection = rule(DatabaseSessions.of_connection, connection=CONNECTIONS)
    disk = rule(DatabaseSessions.disk, fails=pool(True, False, False))
    wait = rule(DatabaseSessions.wait, seconds=pool(1, 2, 3))

    in_line = sometimes("two wait to write", lambda now: len(now.model.line) > 1)
    in_order = sometimes("one that waits to write is asked for more", _waits_in_order)
    failed = sometimes(
        "a commit has failed",
        lambda now: any(each.needs_rollback for each in now.model.sessions.values()),
    )
