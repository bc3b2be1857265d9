"""Every limit of the session manager, with its default."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """The limits of one system. Seconds end in _s; the defaults are the contract's.

    emergency_percent is the share of max_managers_per_user from which a user's idle managers
    make way for a new one. sweep_interval_s must be more than 0.
    """

    session_ttl_s: float = 86_400
    max_sessions_per_user: int = 1_000
    max_managers_per_user: int = 20
    emergency_percent: int = 80
    reconnect_grace_s: float = 60
    connection_timeout_s: float = 1_800
    send_timeout_s: float = 5
    outbox_max: int = 100
    recovery_max: int = 100
    sweep_interval_s: float = 60
    pool_size: int = 10
    pool_timeout_s: float = 30
    retention_s: float = 2_592_000
    queue_max: int = 10_000
    dead_letters_max: int = 1_000
