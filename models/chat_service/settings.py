"""The limits that a chat service is held to, with the contract's defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from models.session_manager import settings


@dataclass(frozen=True, slots=True)
class Settings(settings.Settings):
    """Those of a session manager, and its own: each part of the model reads the same object.

    message_bytes_max is at its default in each scenario, as only flaws are measured. tokens: the
    user of each bearer token.
    """

    pool_size: int = 10
    pool_timeout_s: float = 30
    retention_s: float = 2_592_000
    queue_max: int = 10_000
    queue_max_per_user: int = 200
    queue_wait_s: float = 5
    queue_workers: int = 64
    queue_workers_per_user: int = 4
    dead_letters_max: int = 1_000
    agent_timeout_s: float = 300
    message_bytes_max: int = 262_144
    tokens: Mapping[str, str] = field(default_factory=dict)
