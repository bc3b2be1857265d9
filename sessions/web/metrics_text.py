"""Show what the service counts to Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from sessions.metrics import Metrics
from sessions.queue import QueueCounts
from sessions.service import ChatService

# By the name of the count in our own metrics.
COUNTERS: Mapping[str, str] = {
    "contexts_created": "Gets that made a session.",
    "contexts_reused": "Gets that found a session.",
    "messages": "Messages accepted.",
    "messages_continued": "Messages accepted whose session was there already.",
    "managers_created": "Managers made.",
    "managers_cleaned_up": "Managers that ended.",
    "cleanup_attempts": "Attempts to end a manager that existed.",
    "emergency_cleanups": "Times that idle managers made way for a new one.",
    "session_limit_refusals": "Refusals by max_sessions_per_user.",
    "manager_limit_refusals": "Refusals by max_managers_per_user.",
    "mismatches": "Contexts handed to a component of another thread; must stay 0.",
    "events_delivered": "Events that a socket took.",
    "events_queued": "Events put into a recovery queue.",
    "events_dropped": "Events that left a recovery queue undelivered.",
    "sweep_errors": "Background sweeps that raised.",
    "retries": "Messages put to rest before another try.",
    "dead_lettered": "Messages that failed after every retry.",
    "dead_letters_dropped": "Dead letters that made room for others.",
}


class Exposition:
    """What one app shows, in a registry of its own, so that many apps live in one process."""

    def __init__(self, service: ChatService) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(ServiceCollector(service))

    def text(self) -> bytes:
        """Return everything in the text format of Prometheus, as it is now."""
        return generate_latest(self._registry)


class ServiceCollector(Collector):
    """Reads a service's counts and gauges at the moment that somebody looks."""

    def __init__(self, service: ChatService) -> None:
        self._service = service

    def describe(self) -> Iterable[Metric]:
        """Return nothing, as nothing is to be looked at before somebody asks."""
        return ()

    def collect(self) -> Iterator[Metric]:
        yield from self._counters()
        yield from self._gauges()
        yield self._times()

    def _counters(self) -> Iterator[Metric]:
        metrics = self._service.metrics()
        for counts in (metrics.system, metrics.queue):
            yield from _counters_of(counts)
        errors = CounterMetricFamily(
            "sessions_storage_errors", "Requests of the database that failed.", labels=("kind",)
        )
        for kind, count in metrics.storage_errors.items():
            errors.add_metric((kind,), count)
        yield errors
        refused = CounterMetricFamily(
            "sessions_connections_refused", "Connections that were too many.", labels=("limit",)
        )
        for limit, count in self._service.refusals.counts().items():
            refused.add_metric((limit,), count)
        yield refused

    def _gauges(self) -> Iterator[Metric]:
        core, census = self._service.system.census(), self._service.census()
        metrics = self._service.metrics().system
        gauges = {
            "live": (len(core.sessions), "Sessions that are live."),
            "managers_live": (len(core.managers), "Managers that are live."),
            "connections_live": (len(core.connections), "Connections that are live."),
            "recovery_queue_length": (sum(core.queued.values()), "Events that wait for a peer."),
            "database_sessions_open": (census.database.sessions_open, "Open database sessions."),
            "database_places_taken": (census.database.places_taken, "Places of the pool taken."),
            "queue_length": (sum(census.requests.values()), "Messages not yet done with."),
            "dead_letters": (census.dead_letters, "Dead letters kept."),
            "quality_subscriptions": (len(census.subscriptions), "Threads that hear of quality."),
            "exchanges_open": (census.pending_responses, "HTTP requests that wait for the agent."),
            "messages_continued_ratio": (
                _share(metrics.messages_continued, metrics.messages),
                "Share of the messages that continued a conversation.",
            ),
            "cleanup_success_ratio": (
                _share(metrics.managers_cleaned_up, metrics.cleanup_attempts),
                "Share of the attempts to end a manager that ended it.",
            ),
        }
        for name, (value, meaning) in gauges.items():
            yield GaugeMetricFamily(f"sessions_{name}", meaning, value)

    def _times(self) -> Metric:
        times = self._service.system.registry.times
        return HistogramMetricFamily(
            "sessions_context_seconds",
            "Time to get a context.",
            buckets=times.buckets(),
            sum_value=times.sum_s(),
        )


def _counters_of(counts: Metrics | QueueCounts) -> Iterator[Metric]:
    for field in fields(counts):
        value: int = getattr(counts, field.name)
        yield CounterMetricFamily(f"sessions_{field.name}", COUNTERS[field.name], value)


def _share(part: int, whole: int) -> float:
    """Return a share from 0 to 1; 1 of nothing, as nothing has gone wrong yet."""
    return part / whole if whole else 1.0
