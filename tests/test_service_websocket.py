"""The WebSocket of the app: who is let in, what becomes of frames, and how it ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from sessions.ids import IsolationKey
from sessions.service import ChatService
from sessions.settings import Settings
from tests.sessions_apps import ANA, BEN, make_service, served


@pytest.fixture
def service(tmp_path: Path) -> ChatService:
    return make_service(
        tmp_path,
        Settings(message_bytes_max=100, max_sessions_per_user=3, max_managers_per_user=2),
    )


@pytest.fixture
def app(service: ChatService) -> Iterator[TestClient]:
    with served(service) as far_end:
        yield far_end


def closed_with(far_end: WebSocketTestSession) -> int:
    with pytest.raises(WebSocketDisconnect) as closed:
        far_end.receive_json()
    return closed.value.code


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer nobody's"}])
def test_unknown_peer_is_told_and_sent_away(
    app: TestClient, service: ChatService, headers: dict[str, str]
) -> None:
    """It is accepted to hear why, then closed with 4401, and nothing was made for it."""
    with app.websocket_connect("/ws?thread_id=t", headers={**headers}) as far_end:
        told = far_end.receive_json()
        assert closed_with(far_end) == 4401

    assert told | {"message": "", "event_id": ""} == {
        "type": "error",
        "code": "unauthorized",
        "message": "",
        "thread_id": None,
        "run_id": None,
        "event_id": "",
        "message_id": None,
    }
    assert service.system.census().sessions == {}


def test_user_id_of_another_is_sent_away(app: TestClient) -> None:
    """A token is for its own user only."""
    with app.websocket_connect("/ws?user_id=ana", headers={**BEN}) as far_end:
        assert far_end.receive_json()["code"] == "unauthorized"
        assert closed_with(far_end) == 4401


@pytest.mark.parametrize("thread_id", ["%20", "null", "%00", "%FF", "x" * 257])
def test_thread_that_is_none_is_refused(
    app: TestClient, service: ChatService, thread_id: str
) -> None:
    """An id that breaks the rules is told of without it, and closed with 4400."""
    with app.websocket_connect(f"/ws?thread_id={thread_id}", headers={**ANA}) as far_end:
        told = far_end.receive_json()
        assert (told["code"], told["thread_id"]) == ("bad_id", None)
        assert closed_with(far_end) == 4400

    assert service.system.census().sessions == {}


def test_limit_of_managers_is_told(app: TestClient) -> None:
    """A third thread in use is one too many: closed with 4429, and told for which thread."""
    with (
        app.websocket_connect("/ws", headers={**ANA}),
        app.websocket_connect("/ws", headers={**ANA}),
        app.websocket_connect("/ws?thread_id=t", headers={**ANA}) as far_end,
    ):
        told = far_end.receive_json()
        assert (told["code"], told["thread_id"]) == ("manager_limit", "t")
        assert closed_with(far_end) == 4429


def test_limit_of_sessions_is_told(app: TestClient) -> None:
    """A fourth session is one too many, and without a thread none is named."""
    for thread_id in ("t", "u", "v"):
        app.post("/agents/message", json={"text": "hi", "thread_id": thread_id}, headers={**ANA})

    with app.websocket_connect("/ws", headers={**ANA}) as far_end:
        told = far_end.receive_json()
        assert (told["code"], told["thread_id"]) == ("session_limit", None)
        assert closed_with(far_end) == 4429


def test_empty_thread_begins_a_conversation(app: TestClient) -> None:
    """An empty thread_id means that none is asked for."""
    with app.websocket_connect("/ws?thread_id=", headers={**ANA}) as far_end:
        connected = far_end.receive_json()

    assert (connected["type"], connected["resumed"]) == ("connected", False)


def test_text_and_binary_frames_are_taken_alike(app: TestClient) -> None:
    """JSON may come in either kind of frame."""
    with app.websocket_connect("/ws?thread_id=t", headers={**ANA}) as far_end:
        far_end.receive_json()
        far_end.send_text('{"type": "ping"}')
        far_end.send_bytes(b'{"type": "ping"}')

        assert [far_end.receive_json()["type"] for _ in range(2)] == ["pong", "pong"]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\xff", "bad_json"),
        (b"", "bad_json"),
        (b"{}".ljust(100), "bad_type"),
        (b"{}".ljust(101), "too_large"),
    ],
)
def test_refused_frame_leaves_the_connection(app: TestClient, frame: bytes, code: str) -> None:
    """What is wrong with it is told on the connection's thread, and the next frame is heard."""
    with app.websocket_connect("/ws?thread_id=t", headers={**ANA}) as far_end:
        far_end.receive_json()
        far_end.send_bytes(frame)
        told = far_end.receive_json()
        far_end.send_text('{"type": "ping"}')

        assert (told["code"], told["thread_id"]) == (code, "t")
        assert far_end.receive_json()["type"] == "pong"


@pytest.mark.parametrize(
    ("code", "managers"),
    [(1000, ()), (1001, (IsolationKey("ana", "t"),)), (1006, (IsolationKey("ana", "t"),))],
)
def test_code_of_the_peer_says_whether_it_comes_back(
    app: TestClient, service: ChatService, code: int, managers: tuple[IsolationKey, ...]
) -> None:
    """After a clean close the manager ends at once; after any other it waits for a reconnect."""
    with app.websocket_connect("/ws?thread_id=t", headers={**ANA}) as far_end:
        far_end.receive_json()
        far_end.close(code)

    assert service.system.census().managers == managers
    assert service.system.census().connections == {}
    assert service.census().database.sessions_open == 0


def test_socket_of_ended_sessions_is_closed(app: TestClient, service: ChatService) -> None:
    """Who is connected when the user's sessions are ended is sent away with 4401."""
    with app.websocket_connect("/ws?thread_id=t", headers={**ANA}) as far_end:
        far_end.receive_json()
        app.delete("/sessions", headers={**ANA})
        assert closed_with(far_end) == 4401

    assert service.system.census().managers == ()


def test_two_tabs_hear_the_same(app: TestClient) -> None:
    """An answer of the agent comes to every socket of its thread, with the same event ids."""
    with (
        app.websocket_connect("/ws?thread_id=t", headers={**ANA}) as asker,
        app.websocket_connect("/ws?thread_id=t", headers={**ANA}) as other,
    ):
        asker.receive_json()
        other.receive_json()
        asker.send_json({"type": "chat", "payload": {"text": "hi"}})

        assert [asker.receive_json() for _ in range(5)] == [other.receive_json() for _ in range(5)]
