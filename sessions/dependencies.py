"""What the components of one session manager share."""

from __future__ import annotations

from dataclasses import dataclass

from sessions.clock import Clock
from sessions.contexts import Contexts
from sessions.ids import UnifiedIdGenerator
from sessions.metrics import Metrics
from sessions.registry import Registry
from sessions.settings import Settings
from sessions.tasks import Tasks


@dataclass(frozen=True, slots=True)
class Dependencies:
    """The collaborators of one system, so that many systems live in one process."""

    clock: Clock
    settings: Settings
    metrics: Metrics
    ids: UnifiedIdGenerator
    registry: Registry
    contexts: Contexts
    tasks: Tasks
