"""Tests of apps that are called in memory: HTTP and WebSockets, as a server does it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from itertools import islice
from typing import Any, TypeVar

import pytest
from threadline import Driver, Scenario, rule
from threadline.asgi import UNREAD_MAX, Client, Closed, PeerGone, Rejected, StartFailed
from threadline.loading import load_target
from threadline.lockstep.run import Batch, Runs
from threadline.minimise.fixpoint import minimise
from threadline.pump import Pump
from threadline.search.explore import Explorer
from threadline.trace import Header, Recorder

from tests.toys.api import Api, RacingApi, make_api
from tests.toys.racing import USERS, Desks

T = TypeVar("T")


async def nothing() -> None:
    pass


class Desk:
    """A pump, an app on it, and a client of that."""

    def __init__(self) -> None:
        self.pump = Pump()
        self.log: list[str] = []
        self.client = Client(make_api(nothing, self.log))
        Api()  # so that what anyio does in threads runs inline

    def __call__(self, work: Coroutine[Any, Any, T]) -> T:
        return self.pump.call(work)


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.pump.close()


def raw(app: Any) -> Client:
    return Client(app)


def test_a_request_is_answered(desk: Desk) -> None:
    answer = desk(desk.client.request("POST", "/desks/ana"))
    assert answer.status == 200
    assert answer.json() == {"desk": "desk 0 of ana 0"}
    assert ("content-type", "application/json") in answer.headers
    assert desk(desk.client.request("GET", "/nowhere")).status == 404


def test_a_function_that_is_not_asynchronous_runs_inline(desk: Desk) -> None:
    answer = desk(desk.client.request("POST", "/logs/ana", json={"text": "hi"}))
    assert answer.json() == {"number": 1}
    assert desk(desk.client.request("POST", "/logs/ana", body=b"{")).status == 422


def test_a_stream_is_collected(desk: Desk) -> None:
    assert desk(desk.client.request("GET", "/stream")).text == "one two"


def test_an_app_that_raises_answers_500_and_the_error_is_kept(desk: Desk) -> None:
    answer = desk(desk.client.request("GET", "/raises"))
    assert answer.status == 500
    assert str(answer.error) == "not today"


def test_the_lifespan_begins_and_ends(desk: Desk) -> None:
    desk(desk.client.start())
    assert desk.log == ["starts"]
    desk(desk.client.stop())
    assert desk.log == ["starts", "stops"]


def test_an_app_without_a_lifespan_is_served(desk: Desk) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    client = raw(app)
    desk(client.start())
    assert desk(client.request("GET", "/")).status == 204
    desk(client.stop())


def test_an_app_that_cannot_start_is_told(desk: Desk) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no disk"})

    with pytest.raises(StartFailed, match="no disk"):
        desk(raw(app).start())


def test_an_answer_that_the_app_leaves_is_cut(desk: Desk) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})

    answer = desk(raw(app).request("GET", "/"))
    assert (answer.status, answer.body, answer.is_cut) == (200, b"half", True)


def test_who_leaves_is_told_to_the_app_which_goes_on(desk: Desk) -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((await receive())["type"])
        seen.append((await receive())["type"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        seen.append("sent into the void")

    async def leave() -> None:
        calling = asyncio.create_task(raw(app).request("GET", "/"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        calling.cancel()
        await asyncio.wait((calling,))

    desk(leave())
    desk.pump.settle()
    assert seen == ["http.request", "http.disconnect", "sent into the void"]


def test_a_socket_sends_and_receives(desk: Desk) -> None:
    async def talk() -> list[object]:
        socket = await desk.client.websocket("/echo")
        await socket.send("one")
        await socket.send("two")
        found: list[object] = [await socket.receive(), await socket.receive()]
        await socket.send("bye")
        with pytest.raises(Closed) as closed:
            await socket.receive()
        return [*found, closed.value.code, closed.value.reason]

    assert desk(talk()) == ["echo one", "echo two", 4000, "as asked"]


def test_a_socket_can_be_rejected(desk: Desk) -> None:
    with pytest.raises(Rejected):
        desk(desk.client.websocket("/echo", headers={"X-Name": "nobody"}))
    with pytest.raises(Rejected):
        desk(desk.client.websocket("/nowhere"))


@pytest.mark.parametrize(("code", "told"), [(1000, 1000), (4001, 4001), (None, 1006)])
def test_how_a_client_leaves_is_told(desk: Desk, code: int | None, told: int) -> None:
    async def leave() -> None:
        socket = await desk.client.websocket("/echo")
        if code is None:
            socket.drop()
        else:
            await socket.close(code)

    desk(leave())
    desk.pump.settle()
    assert desk.log == [f"gone {told}"]


@pytest.mark.parametrize("reads", [True, False])
def test_sending_to_who_has_left_raises_in_the_app(desk: Desk, *, reads: bool) -> None:
    seen: list[BaseException] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        assert (await receive())["type"] == "websocket.disconnect"
        try:
            await send({"type": "websocket.send", "text": "too late"})
        except OSError as error:
            seen.append(error)

    async def leave() -> None:
        (await raw(app).websocket("/", on_frame=None if reads else print)).drop()

    desk(leave())
    desk.pump.settle()
    assert [type(each) for each in seen] == [PeerGone]


def test_after_its_answer_an_app_is_told_that_the_client_is_gone(desk: Desk) -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})
        seen.append((await receive())["type"])

    desk(raw(app).request("GET", "/"))
    desk.pump.settle()
    assert seen == ["http.disconnect"]


def test_an_app_waits_for_a_client_that_does_not_read(desk: Desk) -> None:
    sent: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        for number in range(UNREAD_MAX + 3):
            await send({"type": "websocket.send", "text": str(number)})
            sent.append(number)

    socket = desk(raw(app).websocket("/"))
    desk.pump.settle()
    assert len(sent) == UNREAD_MAX
    assert desk(socket.receive()) == "0"
    desk.pump.settle()
    assert len(sent) == UNREAD_MAX + 1


def test_frames_can_be_given_to_a_function(desk: Desk) -> None:
    told: list[object] = []

    async def talk() -> None:
        socket = await desk.client.websocket("/echo", on_frame=told.append)
        await socket.send("one")

    desk(talk())
    desk.pump.settle()
    assert told == ["echo one"]


def test_an_app_that_raises_closes_its_sockets(desk: Desk) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        raise ValueError("not today")

    async def talk() -> int:
        socket = await raw(app).websocket("/")
        with pytest.raises(Closed) as closed:
            await socket.receive()
        return closed.value.code

    assert desk(talk()) == 1011


class Entering(Scenario[Desks], bare=True):
    """Users who come and go at once; with one text, as the driver tells in the order of answers."""

    overlap = True
    enter = rule(Desks.enter, user=USERS)
    leave = rule(Desks.leave, user=USERS)
    write = rule(Desks.write, user=USERS, text="hi")


def explored(driver: type[Driver[Any]], most: int) -> tuple[Runs, list[Batch]]:
    name = f"{driver.__module__}:{driver.__name__}"
    runs = Runs(load_target(name), Recorder(None))
    header = Header("desks", name, seed=0, steps_max=20, overlap=True)
    return runs, list(islice(Explorer(Entering, runs, header).batches(), most))


def test_a_race_in_an_app_is_found_and_made_short() -> None:
    runs, batches = explored(RacingApi, 60)
    found = next(batch for batch in batches if batch.failure)
    assert found.failure is not None
    least = minimise(found.trace(), found.failure.signature, runs, Entering)
    assert len(least.trace.operations) <= 4
    assert sum(operation.timing.entries for _, operation in least.trace.operations) <= 3


def test_an_app_without_a_race_gives_no_alarm() -> None:
    _, batches = explored(Api, 60)
    assert [batch for batch in batches if batch.failure] == []
