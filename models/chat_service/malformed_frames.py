"""Frames that are refused, each for one flaw, and the code of the error that answers it."""

from __future__ import annotations

import json
from typing import NamedTuple

TOO_LARGE_BYTES = 262_145


class MalformedFrame(NamedTuple):
    """A frame as it is sent, and its code."""

    frame: str | bytes
    code: str

    @property
    def size_bytes(self) -> int:
        return len(self.frame if isinstance(self.frame, bytes) else self.frame.encode("utf-8"))


def _frame(kind: object, payload: object = None, **ids: object) -> str:
    given = {} if payload is None else {"payload": payload}
    return json.dumps({"type": kind, **given, **ids})


def _said(**fields: object) -> str:
    return _frame("user_message", {"text": "flawed", **fields})


def _with_ids(**ids: object) -> str:
    return _frame("user_message", {"text": "flawed"}, **ids)


_PING = '{"type": "ping", "padding": "'
_BAD_PAYLOADS = {
    "payload a list": _frame("user_message", ["flawed"]),
    "payload absent": _frame("user_message"),
    "text empty": _said(text=""),
    "text too long": _said(text="a" * 32_769),
    "text with NUL": _said(text="a\0b"),
    "text with a lone surrogate": _said(text="a\ud800b"),
    "text a number": _said(text=1),
    "user_request absent": _frame("start_agent", {"text": "flawed"}),
    "limit 0": _frame("get_thread_history", {"limit": 0}),
    "limit 501": _frame("get_thread_history", {"limit": 501}),
    "limit true": _frame("get_thread_history", {"limit": True}),
    "limit 1.5": _frame("get_thread_history", {"limit": 1.5}),
    "period_hours 0": _frame("get_quality_metrics", {"period_hours": 0}),
    "period_hours 721": _frame("get_quality_metrics", {"period_hours": 721}),
    "agent_name too long": _frame("get_quality_metrics", {"agent_name": "a" * 101}),
    "references no list": _said(references="flawed"),
    "references too many": _said(references=["a"] * 101),
    "reference too long": _said(references=["a" * 1_001]),
    "action unknown": _frame("subscribe_quality_alerts", {"action": "pause"}),
    "action absent": _frame("subscribe_quality_alerts", {}),
    "report_type unknown": _frame("generate_quality_report", {"report_type": "long"}),
    "period unknown": _frame("generate_quality_report", {"period": "year"}),
    "content_type unknown": _frame(
        "validate_content", {"content": "flawed", "content_type": "html"}
    ),
    "strict_mode 1": _frame("validate_content", {"content": "flawed", "strict_mode": 1}),
    # The payload comes before the ids.
    "text empty and thread_id none": _frame("user_message", {"text": ""}, thread_id="none"),
}
_BAD_IDS = {
    "thread_id a number": _with_ids(thread_id=7),
    "thread_id none": _with_ids(thread_id="none"),
    "thread_id too long": _with_ids(thread_id="a" * 257),
    "thread_id blank": _with_ids(thread_id=" "),
    "thread_id of a ping a number": _frame("ping", thread_id=7),
    "run_id with a control character": _with_ids(run_id="a\nb"),
    "message_id a list": _with_ids(message_id=["a"]),
    "thread_id null, and none in the payload": _frame(
        "user_message", {"text": "flawed", "thread_id": "none"}, thread_id=None
    ),
}

MALFORMED_FRAMES: dict[str, MalformedFrame] = {
    "no JSON": MalformedFrame("{", "bad_json"),
    "a JSON list": MalformedFrame("[]", "bad_json"),
    "no UTF-8": MalformedFrame(b'{"type": "ping\xff"}', "bad_json"),
    "too large": MalformedFrame(
        _PING + "a" * (TOO_LARGE_BYTES - len(_PING) - 2) + '"}', "too_large"
    ),
    "type absent": MalformedFrame('{"payload": {"text": "flawed"}}', "bad_type"),
    "type unknown": MalformedFrame(_frame("shout", {"text": "flawed"}), "bad_type"),
    "type a number": MalformedFrame(_frame(1), "bad_type"),
    "type a list": MalformedFrame(_frame(["ping"]), "bad_type"),
    **{name: MalformedFrame(frame, "bad_payload") for name, frame in _BAD_PAYLOADS.items()},
    **{name: MalformedFrame(frame, "bad_id") for name, frame in _BAD_IDS.items()},
}
