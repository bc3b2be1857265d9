"""Count what the system did, and whom it refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

# The settings that one connection more would have passed.
LIMITS = ("connections_max", "user_connections_max", "requests_max")


@dataclass(slots=True)
class Metrics:
    """Plain counts, all 0 when the system starts; what lives now is in the census.

    A context is created by a get that made a session, reused by one that found one. A message
    is continued if its session was there already. Delivered counts finished sends; queued,
    events put into a recovery queue; dropped, events that left one undelivered. mismatches must
    stay 0.
    """

    contexts_created: int = 0
    contexts_reused: int = 0
    messages: int = 0
    messages_continued: int = 0
    managers_created: int = 0
    managers_cleaned_up: int = 0
    cleanup_attempts: int = 0
    emergency_cleanups: int = 0
    session_limit_refusals: int = 0
    manager_limit_refusals: int = 0
    mismatches: int = 0
    events_delivered: int = 0
    events_queued: int = 0
    events_dropped: int = 0
    sweep_errors: int = 0


class Refusals:
    """How many were refused by each limit, all 0 at the start."""

    def __init__(self) -> None:
        self._counts = Counter(dict.fromkeys(LIMITS, 0))

    def note(self, limit: str) -> None:
        """Count one, by the limit, which is one of LIMITS."""
        self._counts[limit] += 1

    def counts(self) -> Mapping[str, int]:
        """Return how many there were of each, in the order of LIMITS."""
        return dict(self._counts)
