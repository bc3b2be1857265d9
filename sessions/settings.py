"""Every limit of the service, with its default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Settings:
    """The limits of one system. Seconds end in _s; the defaults are the contract's.

    emergency_percent is the share of max_managers_per_user from which a user's idle managers
    make way for a new one. sweep_interval_s must be more than 0. queue_workers is how many
    messages are handled at once, and how many of them may be one user's; tokens, whose each
    bearer token is. Those from head_bytes_max to user_connections_max are of the web server
    (sessions.web.limits), for whom 850 files must be allowed with the defaults.
    """

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
    pool_size: int = 10
    pool_timeout_s: float = 30
    connect_timeout_s: float = 4
    statement_timeout_s: float = 5
    ready_timeout_s: float = 2
    retention_s: float = 2_592_000
    queue_max: int = 10_000
    queue_max_per_user: int = 200
    queue_wait_s: float = 5
    dead_letters_max: int = 1_000
    queue_workers: int = 64
    queue_workers_per_user: int = 4
    agent_timeout_s: float = 300
    message_bytes_max: int = 262_144
    head_bytes_max: int = 16_384
    request_timeout_s: float = 30
    write_timeout_s: float = 60
    requests_max: int = 250
    connections_max: int = 500
    user_connections_max: int = 100
    tokens: Mapping[str, str] = field(default_factory=dict)
