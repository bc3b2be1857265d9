"""Quality alerts: what a broadcast shares between those who hear it."""

from __future__ import annotations

from unittest.mock import create_autospec

from sessions.event import Json
from sessions.manager import WebSocketManagerFactory
from sessions.quality import QualityManager
from sessions.router import Router
from tests.sessions_stores import context


def test_broadcast_shares_nothing_between_threads() -> None:
    """A change of one thread's payload reaches neither the other's nor the sender's."""
    router = create_autospec(Router, instance=True)
    payload: dict[str, Json] = {"list": [1]}
    # Every thread has a manager here, as the factory finds one of any key.
    manager = QualityManager(create_autospec(WebSocketManagerFactory, instance=True), router)
    manager.subscribe(context())
    manager.subscribe(context(thread_id="u"))

    manager.broadcast("quality_update", payload)
    first, second = (call.args[2] for call in router.publish.call_args_list)
    assert isinstance(first["list"], list)
    first["list"].append(2)

    assert second == payload == {"list": [1]}
