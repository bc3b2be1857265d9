"""The registry: which session a get finds, how long it lives, and what a refusal leaves."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest

from tests.sessions_peers import make_system


@pytest.mark.parametrize("none", [None, ""])
def test_no_thread_means_a_new_one_at_first(none: str | None) -> None:
    """Without a thread, the first get of a user makes one, named after its run."""
    data = make_system()[0].registry.get_or_create_user_session("ana", none)

    assert data["thread_id"] == f"thread_{data['run_id']}"


def test_threads_that_race_for_a_key_get_one_session() -> None:
    """Eight first gets of one key at the same moment find one run."""
    registry = make_system()[0].registry
    barrier = Barrier(8)
    runs: list[str] = []

    def get() -> None:
        barrier.wait()
        runs.append(registry.get_or_create_user_session("ana", "t")["run_id"])

    threads = [Thread(target=get) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(runs) == 8
    assert len(set(runs)) == 1


def test_log_tells_creation_from_reuse(caplog: pytest.LogCaptureFixture) -> None:
    """Each get logs whether it created or reused its session."""
    caplog.set_level("INFO")
    registry = make_system()[0].registry
    registry.get_or_create_user_session("ana", "t")
    registry.get_or_create_user_session("ana", "t")

    assert caplog.messages == ["Creating session: t", "Reusing session: t"]


def test_uses_are_counted_on_from_a_stored_number() -> None:
    """After a start, no message has the number of one that was stored before."""
    registry = make_system()[0].registry
    registry.count_on(7)

    assert registry.visit("ana", "t").used == 8
