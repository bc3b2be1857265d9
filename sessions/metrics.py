"""Count what the system did."""

from __future__ import annotations

from dataclasses import dataclass


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
