"""What is told of each error (the contract, Messages and HTTP), and how a database's are noted."""

from __future__ import annotations

from typing import NamedTuple


class Known(NamedTuple):
    """The code of an error, the status of a reply with it, and what is said of it."""

    code: str
    status: int
    text: str


class Storage(NamedTuple):
    """The kind of a storage error, and what the log says of it."""

    kind: str
    why: str


OWN = "its own words"
UNSTORED = "the conversation could not be stored or read; send it again later"
ERRORS: dict[str, Known] = {
    "InvalidContextError": Known("bad_id", 422, "thread_id is 7; it must be a string"),
    "ConnectionTakenError": Known("bad_id", 422, OWN),
    "SessionLimitError": Known("session_limit", 429, OWN),
    "ManagerLimitError": Known("manager_limit", 429, OWN),
    "PoolTimeoutError": Known("pool_timeout", 503, OWN),
    "QueueFullError": Known("queue_full", 503, OWN),
    "AgentTimeoutError": Known("agent_timeout", 504, OWN),
    "AgentFailedError": Known("agent_failed", 502, OWN),
    "BadMessageError bad_json": Known("bad_json", 400, OWN),
    "BadMessageError bad_type": Known("bad_type", 422, OWN),
    "BadMessageError bad_payload": Known("bad_payload", 422, OWN),
    "BadMessageError too_large": Known("too_large", 413, OWN),
    "BadMessageError unauthorized": Known("unauthorized", 401, OWN),
    "BadMessageError nothing_to_stop": Known("nothing_to_stop", 409, OWN),
    "OperationalError": Known("storage_error", 503, UNSTORED),
    "OSError": Known("storage_error", 503, UNSTORED),
    "DatabaseTakenError": Known("storage_error", 503, UNSTORED),
}
WITHOUT_CODE = ("ThreadEndedError", "UnknownConnectionError", "ContextMismatchError", "ValueError")

# By SQLite's name of a result code, or PostgreSQL's SQLSTATE, after a colon.
STORAGE: dict[str, Storage] = {
    "sqlite:SQLITE_BUSY": Storage("locked", "SQLITE_BUSY words of the database"),
    "sqlite:SQLITE_BUSY_SNAPSHOT": Storage("locked", "SQLITE_BUSY_SNAPSHOT words of the database"),
    "sqlite:SQLITE_LOCKED": Storage("locked", "SQLITE_LOCKED words of the database"),
    "sqlite:SQLITE_FULL": Storage("full", "SQLITE_FULL words of the database"),
    "sqlite:SQLITE_IOERR_SHMSIZE": Storage("full", "SQLITE_IOERR_SHMSIZE words of the database"),
    "sqlite:SQLITE_IOERR": Storage("other", "SQLITE_IOERR words of the database"),
    "sqlite:SQLITE_CANTOPEN": Storage("unreachable", "SQLITE_CANTOPEN words of the database"),
    "postgresql:55P03": Storage("locked", "55P03 words of the database"),
    "postgresql:57014": Storage("timeout", "57014 words of the database"),
    "postgresql:53100": Storage("full", "53100 words of the database"),
    "postgresql:53300": Storage("unreachable", "53300 words of the database"),
    "postgresql:57P01": Storage("unreachable", "57P01 words of the database"),
    "postgresql:28000": Storage("unreachable", "28000 words of the database"),
    "postgresql:3D000": Storage("unreachable", "3D000 words of the database"),
    "postgresql:08006": Storage("unreachable", "08006 words of the database"),
    "postgresql:23505": Storage("other", "23505 words of the database"),
    "postgresql:22021": Storage("other", "22021"),  # its words have what was refused
    "unknown:": Storage("other", "Error"),  # a statement's values may be in it
    "lost:": Storage("unreachable", "Error"),
    "TimeoutError": Storage("timeout", "no answer in time"),
    "ConnectionRefusedError": Storage("unreachable", "words of the database"),
    "OSError without words": Storage("unreachable", "OSError"),
    "PoolTimeoutError": Storage("pool_timeout", "words of the database"),
    "DatabaseTakenError": Storage("locked", "words of the database"),
    "SQLAlchemyError": Storage("other", "SQLAlchemyError"),
}

# What the log says of those that a request by HTTP meets.
NOTED: dict[str, Storage] = {
    "OperationalError": Storage("other", "Exception"),
    "OSError": Storage("unreachable", "words of the database"),
    "DatabaseTakenError": Storage("locked", "words of the database"),
    "PoolTimeoutError": Storage("pool_timeout", OWN),
}
TURN = {
    "position": 2,
    "role": "agent",
    "text": "hello",
    "message_id": "m",
    "run_id": "r",
    "at_s": 7.0,
}
# What each request for ana, and for t where it names a thread, is answered if nothing is wrong.
NOTHING = "nothing"
ANSWERS: dict[str, dict[str, object]] = {
    "GET /threads": {"threads": [{"thread_id": "t", "last_active_at_s": 5.0}]},
    "GET /threads/messages": {"thread_id": "t", "turns": [TURN]},
    "DELETE /threads": {"thread_id": "t", "deleted": True},
    "DELETE /sessions": {"ended": 3},
}
