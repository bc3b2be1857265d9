"""The limits that a session manager is held to, with the contract's defaults."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Seconds end in _s; emergency_percent is a share of max_managers_per_user."""

    session_ttl_s: float = 86_400
    max_sessions_per_user: int = 1_000
    max_managers_per_user: int = 20
    emergency_percent: int = 80
    reconnect_grace_s: float = 60
    connection_timeout_s: float = 1_800
    send_timeout_s: float = 5
    outbox_max: int = 100
    outbox_bytes_max: int = 1_048_576
    recovery_max: int = 100
    sweep_interval_s: float = 60
