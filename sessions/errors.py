"""What the session manager refuses, and by which name."""

from __future__ import annotations

import reprlib
from typing import ClassVar


class RefusedError(Exception):
    """The base of all refusals; a refused call has changed nothing.

    RefusedError
      InvalidContextError      "invalid context"       an id or another field breaks a rule
      InvalidIdRequestError    "invalid id request"    no id can be made of these arguments
      SessionLimitError        "session limit"         the user has max_sessions_per_user
      ManagerLimitError        "manager limit"         the user has max_managers_per_user
      ConnectionTakenError     "connection taken"      the connection id or socket is live
      UnknownConnectionError   "unknown connection"    no live connection of this user has the id
      ContextMismatchError     "context mismatch"      a part was handed another part's context
      PoolTimeoutError         "pool timeout"          no database place came free in time
      ThreadEndedError         "thread ended"          no run of the thread awaits this turn
      QueueFullError           "queue full"            queue_max messages are in the queue
      BadMessageError          "bad message"           a message breaks a rule of the contract
      AgentTimeoutError        "agent timeout"         an agent took agent_timeout_s
      AgentFailedError         "agent failed"          an agent raised, or ended without a reply

    reason is the stable text in the middle; the message is for the reader.
    """

    reason: ClassVar[str]


class InvalidContextError(RefusedError, ValueError):
    """A field of a context breaks a rule; carries all three: field, value and rule."""

    reason = "invalid context"

    def __init__(self, field: str, value: object, rule: str) -> None:
        super().__init__(f"{field} is {reprlib.repr(value)}; it must {rule}")
        self.field = field
        self.value = value
        self.rule = rule


class InvalidIdRequestError(RefusedError, ValueError):
    """No id can be made of the arguments."""

    reason = "invalid id request"


class SessionLimitError(RefusedError):
    """The user has as many live sessions as one user may have."""

    reason = "session limit"


class ManagerLimitError(RefusedError):
    """The user has as many managers in use as one user may have."""

    reason = "manager limit"


class ConnectionTakenError(RefusedError):
    """The connection id, or the socket itself, belongs to a live connection."""

    reason = "connection taken"


class UnknownConnectionError(RefusedError):
    """The user has no live connection of this id."""

    reason = "unknown connection"


class ContextMismatchError(RefusedError):
    """A component was handed a context of another user or thread than its own."""

    reason = "context mismatch"


class PoolTimeoutError(RefusedError):
    """Every place of the database was taken for pool_timeout_s."""

    reason = "pool timeout"


class ThreadEndedError(RefusedError):
    """The thread was deleted, invalidated, or given another run."""

    reason = "thread ended"


class QueueFullError(RefusedError):
    """As many messages are in the queue as it may have."""

    reason = "queue full"


class BadMessageError(RefusedError):
    """A message breaks a rule; code is the contract's name of it, such as bad_payload."""

    reason = "bad message"

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class AgentTimeoutError(RefusedError):
    """An agent took longer than it may."""

    reason = "agent timeout"


class AgentFailedError(RefusedError):
    """An agent raised, or ended without a reply."""

    reason = "agent failed"


class TablesError(Exception):
    """The tables are of a version that this program does not know; says what to do instead.

    No refusal: it is raised at the start, before there is anybody to be refused.
    """
