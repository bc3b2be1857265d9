"""What the app shows to Prometheus."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from sessions.context import ContextTimes
from sessions.metrics import Metrics
from sessions.queue import QueueCounts
from sessions.web.metrics_text import COUNTERS
from tests.sessions_apps import ANA, make_service, served


def shown(app: TestClient) -> dict[str, float]:
    """Return every sample that has no label, by its name."""
    families = text_string_to_metric_families(app.get("/metrics").text)
    return {
        sample.name: sample.value
        for family in families
        for sample in family.samples
        if not sample.labels
    }


def test_every_count_is_explained() -> None:
    """Each count of the session manager and of the queue has a text, and no text is left over."""
    counts = [field.name for field in (*fields(Metrics), *fields(QueueCounts))]

    assert list(COUNTERS) == counts


def test_all_is_zero_at_the_start(tmp_path: Path) -> None:
    """A new app has counted nothing, whatever other apps of the process have."""
    (tmp_path / "other").mkdir()
    with served(make_service(tmp_path / "other")) as other, served(make_service(tmp_path)) as app:
        other.post("/agents/message", json={"text": "hi"}, headers={**ANA})
        samples = shown(app)

    assert samples.pop("sessions_messages_continued_ratio") == 1
    assert samples.pop("sessions_cleanup_success_ratio") == 1
    assert set(samples.values()) == {0}


def test_messages_and_what_lives_are_counted(tmp_path: Path) -> None:
    """Of two messages on one thread the second continued it; a connection and its parts live."""
    with served(make_service(tmp_path)) as app:
        app.post("/agents/message", json={"text": "hi", "thread_id": "t"}, headers={**ANA})
        app.post("/agents/message", json={"text": "hi", "thread_id": "t"}, headers={**ANA})
        with app.websocket_connect("/ws?thread_id=t", headers={**ANA}) as far_end:
            far_end.receive_json()
            samples = shown(app)

    assert samples["sessions_messages_total"] == 2
    assert samples["sessions_messages_continued_ratio"] == 0.5
    assert samples["sessions_contexts_created_total"] == 1
    assert samples["sessions_contexts_reused_total"] == 2
    assert samples["sessions_context_seconds_count"] == 2
    assert samples["sessions_live"] == 1
    assert samples["sessions_managers_live"] == 1
    assert samples["sessions_connections_live"] == 1
    assert samples["sessions_database_sessions_open"] == 1
    assert samples["sessions_queue_length"] == 0


def test_times_are_counted_up_to_each_bound() -> None:
    """A time of exactly a bound is within it, and the last bucket has all."""
    times = ContextTimes()
    times.observe(0.0)
    times.observe(0.001)
    times.observe(0.0011)
    times.observe(2.0)

    assert times.buckets() == [
        ("1e-05", 1),
        ("0.0001", 1),
        ("0.001", 2),
        ("0.01", 3),
        ("0.1", 3),
        ("1.0", 3),
        ("+Inf", 4),
    ]
