"""Ids: how they are made and read back, and the key that two of them make."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from threading import Lock
from typing import NamedTuple

from sessions.clock import Clock, SystemClock
from sessions.errors import InvalidIdRequestError

OPERATION_LENGTH_MAX = 64
RANDOM_LENGTH = 8
USER_PREFIX_LENGTH = 8
# The prefix is greedy: it may itself hold parts that look like a time, and the last one counts.
FORM = re.compile(
    r"(?P<prefix>.*)_(?P<ms>[0-9]{13})_(?P<number>[0-9]+)(?:_(?P<random>[0-9a-f]+))?", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class ParsedId:
    """The parts of one id; ms is when it was made, in milliseconds since the epoch."""

    prefix: str
    ms: int
    number: int
    random: str | None


class UnifiedIdGenerator:
    """Makes ids that are unique across threads, tasks and processes (the contract, Identifiers).

    Clock, counter and entropy are injected; entropy(n) returns n random bytes. Thread-safe.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        counter: Iterator[int] | None = None,
        entropy: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._clock = clock or SystemClock()
        self._counter = counter or count(1)
        self._entropy = entropy
        self._lock = Lock()

    def generate_base_id(
        self, prefix: str = "id", include_random: bool = True, random_length: int = RANDOM_LENGTH
    ) -> str:
        """Return {prefix}_{ms}_{n}, and _{hex} of exactly random_length digits if asked for.

        Raises InvalidIdRequestError for a random_length under 1.
        """
        if include_random and random_length < 1:
            raise InvalidIdRequestError(f"random_length is {random_length}; give 1 or more")
        return f"{prefix}_{self._stamp(random_length if include_random else 0)}"

    def generate_user_context_ids(
        self,
        user_id: str,  # noqa: ARG002  # the seeds pass it; ids that tell whose they are leak
        operation: str = "context",
    ) -> tuple[str, str, str]:
        """Return the thread, run and request id of a new conversation.

        The thread id holds the run id. The user id is part of none. Raises
        InvalidIdRequestError for an operation of more than OPERATION_LENGTH_MAX characters.
        """
        if len(operation) > OPERATION_LENGTH_MAX:
            raise InvalidIdRequestError(
                f"operation has {len(operation)} characters; give at most {OPERATION_LENGTH_MAX}"
            )
        run_id = f"{operation}_{self._stamp(RANDOM_LENGTH)}"
        return f"thread_{run_id}", run_id, f"req_{operation}_{self._stamp(RANDOM_LENGTH)}"

    def generate_websocket_client_id(self, user_id: str) -> str:
        return f"ws_client_{user_id[:USER_PREFIX_LENGTH]}_{self._stamp(RANDOM_LENGTH)}"

    def generate_websocket_connection_id(self, user_id: str) -> str:
        return f"ws_conn_{user_id[:USER_PREFIX_LENGTH]}_{self._stamp(RANDOM_LENGTH)}"

    def parse_id(self, text: object) -> ParsedId | None:
        """Return the parts of an id that a generator made, or None for anything else."""
        found = FORM.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            return None
        return ParsedId(found["prefix"], int(found["ms"]), int(found["number"]), found["random"])

    def is_valid_id(self, text: object) -> bool:
        return self.parse_id(text) is not None

    def get_id_age(self, text: object) -> float:
        """Return the age of an id in seconds, at least 0; -1 for what no generator made."""
        found = self.parse_id(text)
        return -1 if found is None else max(0.0, self._clock.now() - found.ms / 1000)

    def now(self) -> float:
        """Return the clock second that an id made now would carry."""
        return self._clock.now()

    def _stamp(self, random_length: int) -> str:
        """Return {ms}_{n}[_{hex}], the part that makes an id unique."""
        with self._lock:
            number = next(self._counter)
        stamp = f"{int(self._clock.now() * 1000):013d}_{number}"
        if random_length == 0:
            return stamp
        # Half a byte is one digit: an odd length needs one byte more, and then one digit less.
        return f"{stamp}_{self._entropy((random_length + 1) // 2).hex()[:random_length]}"


class IsolationKey(NamedTuple):
    """A user and a thread, as a value, so that no two different pairs can ever meet.

    Sessions and managers both live under it (the contract, Registry and Isolation key).
    """

    user_id: str
    thread_id: str
