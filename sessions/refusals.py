"""Count the connections that were refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

# The settings that one connection more would have passed.
LIMITS = ("connections_max", "user_connections_max", "requests_max")


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
