"""What happened so far, in numbers (the contract, Metrics and log)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Counts:
    """All 0 at the start. Queued counts what a recovery queue took; dropped, what it lost."""

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
