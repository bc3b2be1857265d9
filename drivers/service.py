"""The driver of our own chat service, on a loop that is turned by hand."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError
from threadline import Refuse

from drivers.service_exchanges import Exchange
from drivers.service_frames import body, frame
from drivers.service_life import ServiceLife
from drivers.service_shown import since_start
from drivers.sessions_socket import Socket
from models.chat_service import ChatServiceModel
from models.chat_service.malformed_frames import MALFORMED_FRAMES
from sessions import UserExecutionContext
from sessions.errors import RefusedError
from sessions.event import Json
from sessions.routes import Reply

OK = 200


class ServiceDriver(ServiceLife):
    """Sends what users send, over sockets and HTTP; each outcome tells what arrived, by thread."""

    model = ChatServiceModel

    async def connect(self, user: str, thread: str | None, name: str | None, peer: str) -> object:
        async with self._doors.inside():
            socket = self._sockets.make(peer)
            try:
                if name is None:
                    context = await self._default.handle_websocket_connection(socket, user, thread)
                else:
                    connect = self._service.handle_websocket_connection
                    context = await connect(socket, user, thread, name)
            except (RefusedError, SQLAlchemyError):
                self._sockets.forget(socket)
                raise
            return {"socket": socket, **self._shown(context)}

    async def disconnect(self, connection: Socket, code: int) -> bool:
        async with self._doors.inside():
            self._sockets.forget(connection)
            was_open: bool = await self._default.handle_websocket_disconnect(connection, code)
            return was_open

    def say(
        self,
        connection: Socket,
        thread: str | None,
        run: str | None,
        message: str | None,
        text: str,
        agent: str,
    ) -> object:
        self._agree(text, agent)
        return self._send(connection, frame("user_message", {"text": text}, thread, run, message))

    def start_agent(
        self,
        connection: Socket,
        thread: str | None,
        run: str | None,
        message: str | None,
        text: str,
        agent: str,
    ) -> object:
        self._agree(text, agent)
        return self._send(
            connection, frame("start_agent", {"user_request": text}, thread, run, message)
        )

    def refer(
        self,
        connection: Socket,
        thread: str | None,
        references: tuple[object, ...],
        text: str,
        agent: str,
    ) -> object:
        self._agree(text, agent)
        payload = {"text": text, "references": list(references)}
        return self._send(connection, frame("user_message", payload, thread))

    def history(self, connection: Socket, thread: str | None, limit: int | None) -> object:
        return self._send(connection, frame("get_thread_history", {"limit": limit}, thread))

    async def agent_answers(self, text: str) -> None:
        self._words.released(text).set()

    def stop_agent(self, connection: Socket, thread: str | None) -> object:
        return self._send(connection, frame("stop_agent", {}, thread))

    def ping_thread(self, connection: Socket, thread: str | None) -> object:
        return self._send(connection, frame("ping", {}, thread))

    def malformed(self, connection: Socket, flaw: str) -> object:
        return self._send(connection, MALFORMED_FRAMES[flaw].frame)

    def subscribe(self, connection: Socket, thread: str | None, action: str) -> object:
        return self._send(connection, frame("subscribe_quality_alerts", {"action": action}, thread))

    def quality_metrics(
        self, connection: Socket, thread: str | None, agent_name: str | None, hours: int | None
    ) -> object:
        payload = {"agent_name": agent_name, "period_hours": hours}
        return self._send(connection, frame("get_quality_metrics", payload, thread))

    def quality_report(
        self, connection: Socket, thread: str | None, report: str | None, period: str | None
    ) -> object:
        payload = {"report_type": report, "period": period}
        return self._send(connection, frame("generate_quality_report", payload, thread))

    def validate(
        self,
        connection: Socket,
        thread: str | None,
        content: str,
        content_type: str | None,
        strict: bool | None,  # a field of the frame
    ) -> object:
        payload = {"content": content, "content_type": content_type, "strict_mode": strict}
        return self._send(connection, frame("validate_content", payload, thread))

    def post(
        self,
        user: str,
        thread: str | None,
        run: str | None,
        message: str | None,
        text: str,
        agent: str,
    ) -> object:
        self._agree(text, agent)
        exchange = self._exchange()
        given = body(text, thread, run, message)
        return self._act(
            lambda: exchange.post(self._service.agent_route, user, given), exchange=exchange
        )

    def post_stream(
        self,
        user: str,
        thread: str | None,
        run: str | None,
        message: str | None,
        text: str,
        agent: str,
    ) -> object:
        self._agree(text, agent)
        exchange = self._exchange()
        given = body(text, thread, run, message)
        return self._act(
            lambda: exchange.post_stream(self._service.agent_route, user, given), exchange=exchange
        )

    def hang_up(self, exchange: Exchange) -> None:
        exchange.leave()

    async def threads(self, user: str) -> object:
        async with self._doors.inside():
            return _body(await self._service.messages_route.threads(user))

    async def thread_messages(self, user: str, thread: str, limit: int | None) -> object:
        async with self._doors.inside():
            return _body(await self._service.messages_route.messages(user, thread, limit))

    async def delete_thread(self, user: str, thread: str) -> object:
        async with self._doors.inside():
            return _body(await self._service.thread_route.delete_thread(user, thread))

    async def create_manager(
        self, context: UserExecutionContext | None, user: str | None
    ) -> object:
        async with self._doors.inside():
            return await super().create_manager(context, user)

    async def broadcast(self, event: str, text: str) -> None:
        service = self._service
        broadcasts = {
            "quality_update": service.broadcast_quality_update,
            "quality_alert": service.broadcast_quality_alert,
        }
        texts: list[Json] = [text]
        payload: dict[str, Json] = {"text": text, "texts": texts}
        await broadcasts[event](payload)
        payload["text"] = "changed later"
        texts.append("added later")

    def _exchange(self) -> Exchange:
        exchange = Exchange(self._tell_of_thread)
        self._exchanges = [each for each in self._exchanges if not each.is_over()]
        self._exchanges.append(exchange)
        return exchange

    def _send(self, connection: Socket, data: str | bytes) -> object:
        return self._act(lambda: self._service.receive(connection, data))


def _body(reply: Reply) -> object:
    """Return the body of a reply, or refuse by its code."""
    if reply.status != OK:
        raise Refuse(str(reply.body["code"]))
    return since_start(reply.body)
