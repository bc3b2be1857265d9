"""An event as it is sent."""

from __future__ import annotations

from sessions.event import Event, Json
from sessions.ids import IsolationKey


def test_own_fields_cannot_take_the_place_of_ids() -> None:
    """A payload that has a thread_id and a type of its own is sent as the thread's event still."""
    key = IsolationKey("ana", "t")
    fields: dict[str, Json] = {"thread_id": "another", "type": "another", "text": "hi"}
    sent = Event("quality_alert", key, "r", "e", None, fields).as_json()

    assert (sent["type"], sent["thread_id"], sent["text"]) == ("quality_alert", "t", "hi")
