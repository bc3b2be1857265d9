"""The HTTP routes of the app: who may ask, what is refused, and what comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient
from starlette.types import Message

from sessions.errors import BadMessageError
from sessions.service import ChatService
from sessions.settings import Settings
from sessions.web.requests import read_object
from tests.sessions_apps import ANA, BEN, make_service, served

UNAUTHORIZED = {"code": "unauthorized", "thread_id": None}
ROUTES = [
    ("POST", "/agents/message"),
    ("POST", "/agents/stream"),
    ("GET", "/threads"),
    ("GET", "/threads/messages?thread_id=t"),
    ("DELETE", "/threads?thread_id=t"),
    ("DELETE", "/sessions"),
]


@pytest.fixture
def service(tmp_path: Path) -> ChatService:
    return make_service(tmp_path, Settings(message_bytes_max=100, max_sessions_per_user=1))


@pytest.fixture
def app(service: ChatService) -> Iterator[TestClient]:
    with served(service) as far_end:
        yield far_end


@pytest.mark.parametrize(
    "header",
    [
        [],
        [("Authorization", "")],
        [("Authorization", "Bearer")],
        [("Authorization", "Bearer ")],
        [("Authorization", "Bearer nobody's token")],
        [("Authorization", "Basic ana's token")],
        [("Authorization", "Bearer ana's token "), ("Authorization", "Bearer ben's token")],
        [("Authorization", "Bearer Ana's token")],
    ],
)
def test_without_a_token_of_somebody_nothing_is_answered(
    app: TestClient, service: ChatService, header: list[tuple[str, str]]
) -> None:
    """A missing, empty, unknown or ambiguous token is refused, and makes no session."""
    answer = app.post("/agents/message", content=b'{"text": "hello"}', headers=header)

    assert answer.status_code == 401
    assert answer.json() | {"message": ""} == UNAUTHORIZED | {"message": ""}
    assert answer.headers["www-authenticate"] == "Bearer"
    assert service.system.census().sessions == {}


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_asks_for_a_token(app: TestClient, method: str, path: str) -> None:
    """No route of the service answers somebody unknown."""
    assert app.request(method, path).status_code == 401


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_token_is_for_its_own_user_only(app: TestClient, method: str, path: str) -> None:
    """A user_id of somebody else in the query is refused on every route."""
    answer = app.request(method, path, params={"thread_id": "t", "user_id": "ben"}, headers=ANA)

    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("user_id", "status"), [("ana", 200), (None, 200), ("ben", 401), ("", 401), (["ana"], 401)]
)
def test_user_in_the_body_must_be_that_of_the_token(
    app: TestClient, user_id: object, status: int
) -> None:
    """Only the token's own user may be named there, or nobody."""
    answer = app.post("/agents/message", json={"text": "hi", "user_id": user_id}, headers=ANA)

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "bad_json"),
        (b"\xff", 400, "bad_json"),
        (b"[]", 400, "bad_json"),
        (b'{"text": NaN}', 400, "bad_json"),
        (b"[" * 99, 400, "bad_json"),
        (b"{}", 422, "bad_payload"),
        (b'{"text": "a\\u0000b"}', 422, "bad_payload"),
        (b'{"text": "hi", "thread_id": 1}', 422, "bad_id"),
        (b'{"text": "hi", "thread_id": "\\ud800"}', 422, "bad_id"),
        (b'{"text": "hi", "user_id": "ben" ' + b" " * 100, 413, "too_large"),
    ],
)
@pytest.mark.parametrize("path", ["/agents/message", "/agents/stream"])
def test_malformed_body_is_refused_by_its_code(
    app: TestClient, service: ChatService, path: str, body: bytes, status: int, code: str
) -> None:
    """Both ways to ask refuse alike, and make no session."""
    answer = app.post(path, content=body, headers=ANA)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert service.system.census().sessions == {}


@pytest.mark.parametrize(("size", "status"), [(99, 200), (100, 200), (101, 413)])
def test_body_may_be_as_large_as_a_frame(app: TestClient, size: int, status: int) -> None:
    """A body of message_bytes_max bytes is read, though it came without its length."""
    body = b'{"text": "hi"}'.ljust(size)

    answer = app.post("/agents/message", content=iter([body[:50], body[50:]]), headers=ANA)

    assert answer.status_code == status


def test_body_that_is_too_large_is_not_read_to_its_end() -> None:
    """Of a body without end no more is read than shows that it is too large."""
    pieces: list[str] = []

    async def receive() -> Message:
        pieces.append("piece")
        return {"type": "http.request", "body": b"x" * 60, "more_body": True}

    with pytest.raises(BadMessageError) as refused:
        asyncio.run(read_object(Request({"type": "http", "headers": []}, receive), 100))

    assert refused.value.code == "too_large"
    assert pieces == ["piece", "piece"]


def test_body_that_says_it_is_too_large_is_not_read() -> None:
    """Its length is enough to refuse it."""

    async def receive() -> Message:
        raise AssertionError("nothing is read")

    request = Request({"type": "http", "headers": [(b"content-length", b"101")]}, receive)
    with pytest.raises(BadMessageError) as refused:
        asyncio.run(read_object(request, 100))

    assert refused.value.code == "too_large"


def test_answer_has_the_ids_and_the_position(app: TestClient) -> None:
    """The reply comes with the thread, the run and the message that it is for."""
    body = {"text": "hi", "thread_id": "t", "run_id": "r", "message_id": "m"}
    ids = {"thread_id": "t", "run_id": "r", "message_id": "m"}

    answer = app.post("/agents/message", json=body, headers=ANA)
    again = app.post("/agents/message", json=body, headers=ANA)

    assert answer.json() == ids | {"response": "You said: hi", "position": 2}
    assert again.json() == ids | {
        "already_handled": True,
        "position": 1,
        "answer_position": 2,
        "response": "You said: hi",
    }


def test_stream_has_each_event_on_a_line(app: TestClient) -> None:
    """Every line is the JSON of one event, in order."""
    answer = app.post("/agents/stream", json={"text": "hi"}, headers=ANA)

    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line)["type"] for line in answer.text.splitlines()] == [
        "agent_started",
        "agent_thinking",
        "tool_executing",
        "tool_completed",
        "agent_completed",
    ]


def test_limit_of_sessions_is_too_many_requests(app: TestClient) -> None:
    """One thread more than a user may have is refused with 429; a refused message has no thread."""
    app.post("/agents/message", json={"text": "hi", "thread_id": "t"}, headers=ANA)

    refused = app.post("/agents/message", json={"text": "hi", "thread_id": "u"}, headers=ANA)

    assert refused.status_code == 429
    assert refused.json() | {"message": ""} == {
        "code": "session_limit",
        "message": "",
        "thread_id": None,
    }


def test_reads_are_of_the_tokens_user(app: TestClient) -> None:
    """What one user said is listed and shown to that user, and deleted by nobody else."""
    app.post("/agents/message", json={"text": "hi", "thread_id": "a b"}, headers=ANA)

    assert app.get("/threads", headers=BEN).json() == {"threads": []}
    assert app.delete("/threads?thread_id=a+b", headers=BEN).json()["deleted"] is False
    assert [
        thread["thread_id"] for thread in app.get("/threads", headers=ANA).json()["threads"]
    ] == ["a b"]
    shown = app.get("/threads/messages?thread_id=a%20b&limit=1", headers=ANA).json()
    assert [turn["text"] for turn in shown["turns"]] == ["You said: hi"]
    assert app.delete("/threads?thread_id=a+b", headers=ANA).json()["deleted"] is True


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "bad_id"),
        ("?thread_id=", "bad_id"),
        ("?thread_id=%FF", "bad_id"),
        ("?thread_id=%00", "bad_id"),
        ("?thread_id=t&limit=0", "bad_payload"),
        ("?thread_id=t&limit=501", "bad_payload"),
        ("?thread_id=t&limit=1.0", "bad_payload"),
        ("?thread_id=t&limit=", "bad_payload"),
        ("?thread_id=t&limit=%C2%B2", "bad_payload"),
        ("?thread_id=t&limit=" + "9" * 5_000, "bad_payload"),
    ],
)
def test_malformed_query_is_refused(app: TestClient, query: str, code: str) -> None:
    """An id that is none, and a limit that is no number from 1 to 500, are refused with 422."""
    answer = app.get(f"/threads/messages{query}", headers=ANA)

    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_sessions_are_ended_and_counted(app: TestClient, service: ChatService) -> None:
    """All of the user's sessions end; the conversation stays."""
    app.post("/agents/message", json={"text": "hi"}, headers=ANA)

    assert app.delete("/sessions", headers=ANA).json() == {"ended": 1}
    assert service.system.census().sessions == {}
    assert len(app.get("/threads", headers=ANA).json()["threads"]) == 1


ALLOWED = [
    ("/agents/message", "OPTIONS, POST"),
    ("/threads", "DELETE, GET, OPTIONS"),
    ("/threads/messages", "GET, OPTIONS"),
    ("/sessions", "DELETE, OPTIONS"),
    ("/health", "GET, OPTIONS"),
    ("/openapi.json", "GET, HEAD, OPTIONS"),
]


@pytest.mark.parametrize(("path", "allowed"), ALLOWED)
def test_options_are_all_methods(app: TestClient, path: str, allowed: str) -> None:
    """Whoever asks for the options of a path is told each method that it has, in order."""
    answer = app.options(path)

    assert (answer.status_code, answer.headers["allow"], answer.content) == (204, allowed, b"")


@pytest.mark.parametrize(("path", "allowed"), ALLOWED)
def test_method_that_is_not_allowed_is_told_which_are(
    app: TestClient, path: str, allowed: str
) -> None:
    """A 405 has the same list."""
    answer = app.put(path)

    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


def test_path_that_is_none_has_no_options(app: TestClient) -> None:
    """It is not found, by whichever method."""
    answer = app.options("/thread")

    assert answer.status_code == 404
    assert "allow" not in answer.headers


def test_health_needs_no_token(app: TestClient) -> None:
    """Whoever asks is told that the service answers."""
    assert app.get("/health").json() == {"status": "ok"}
