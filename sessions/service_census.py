"""What a service holds and has done, beside its session manager."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sessions.ids import IsolationKey
from sessions.metrics import Metrics
from sessions.queue.message_queue import QueueCounts
from sessions.storage.database import DatabaseGauges


@dataclass(frozen=True, slots=True)
class ServiceCensus:
    """What is live: nothing whose session has ended.

    requests: how many messages of each thread wait, rest or are handled. subscriptions: the
    threads that hear of quality. exchanges: HTTP requests that wait.
    """

    requests: Mapping[IsolationKey, int]
    subscriptions: tuple[IsolationKey, ...]
    dead_letters: int
    exchanges: int
    database: DatabaseGauges


@dataclass(frozen=True, slots=True)
class ServiceMetrics:
    """The counts of the session manager and of the queue, and the gauges of the database.

    storage_errors: how many there were of each kind.
    """

    system: Metrics
    queue: QueueCounts
    database: DatabaseGauges
    storage_errors: Mapping[str, int]
