"""Files of each kind at the start, and processes that each want them for themselves."""

from __future__ import annotations

from threadline import Now, Scenario, pool, rule, sometimes

from models.database_start import (
    ALONE,
    ENDS,
    FILE,
    FILES,
    INDEX,
    LOCKS,
    NO_ANSWER,
    PLACES,
    POSTGRESQL,
    SERVER,
    SQLITE,
    STAYS,
    TABLES,
    DatabaseStart,
)


def _was_robbed(now: Now) -> bool:
    """Return whether a process is unsure of its database, which another one has."""
    serves = now.model.serves
    return any(serves.get(PLACES[each], each) != each for each in now.model.unsure)


class Starts(Scenario[DatabaseStart], bare=True):
    """What the start of a service comes to once, or never: each file, each limit, each rival."""

    settings = {
        "connect_timeout_s": pool(4, 1.5),
        "statement_timeout_s": pool(5, 0.5),
    }

    tables_become = rule(
        DatabaseStart.tables_become,
        tables=pool(*TABLES, INDEX),
        when=lambda now: FILE not in now.model.serves,
        weight=2,
    )
    serve = rule(DatabaseStart.serve, process=pool(*PLACES), weight=3)
    leave = rule(DatabaseStart.leave, process=pool(*PLACES), weight=3)
    renew = rule(DatabaseStart.renew, process=pool(ALONE, *SERVER), callers=pool(1, 2))
    restart_server = rule(DatabaseStart.restart_server)
    ready = rule(DatabaseStart.ready, process=pool("one", "another"), fails=pool(False, True))
    error = rule(DatabaseStart.error, loses=pool(False, True))
    options = rule(DatabaseStart.options, database=pool(SQLITE, POSTGRESQL, "mysql"))
    give_up = rule(
        DatabaseStart.give_up,
        error=pool(NO_ANSWER, "another"),
        connection=pool(None, ENDS, STAYS),
    )
    engine = rule(DatabaseStart.engine, database=pool(SQLITE, POSTGRESQL), places=pool(1, 2))
    file = rule(DatabaseStart.file, url=pool(*FILES))
    lock = rule(DatabaseStart.lock, schema=pool(*LOCKS))

    robbed = sometimes("a process is unsure of what another one has", _was_robbed)
    all_served = sometimes(
        "every database has a process",
        lambda now: len(now.model.serves) == len(set(PLACES.values())),
    )
