"""The HTTP routes: who asks, what is asked, and nothing decided here."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from sessions.event import Json
from sessions.routes import Reply
from sessions.service import ChatService
from sessions.web import openapi
from sessions.web.requests import Tokens, check_user, query_number, query_value, read_object
from sessions.web.responses import response_of, stream_of


class HttpRoutes:
    """Serves the routes of the service; router is what an app includes."""

    def __init__(self, service: ChatService, tokens: Tokens) -> None:
        self._service = service
        self._tokens = tokens
        self.router = APIRouter()
        add = self.router.add_api_route
        add("/agents/message", self.ask, methods=["POST"], **openapi.ASK)
        add("/agents/stream", self.ask_streaming, methods=["POST"], **openapi.ASK_STREAMING)
        add("/threads", self.threads, methods=["GET"], **openapi.THREADS)
        add("/threads/messages", self.messages, methods=["GET"], **openapi.MESSAGES)
        add("/threads", self.delete_thread, methods=["DELETE"], **openapi.DELETE_THREAD)
        add("/sessions", self.delete_sessions, methods=["DELETE"], **openapi.DELETE_SESSIONS)

    async def ask(self, request: Request) -> Response:
        user_id, body = await self._asked(request)
        return response_of(await self._service.agent_route.process_agent_message(user_id, body))

    async def ask_streaming(self, request: Request) -> Response:
        user_id, body = await self._asked(request)
        answer = await self._service.agent_route.stream_response(user_id, body)
        return response_of(answer) if isinstance(answer, Reply) else stream_of(answer)

    async def threads(self, request: Request) -> Response:
        user_id = self._tokens.user_of(request)
        return response_of(await self._service.messages_route.threads(user_id))

    async def messages(self, request: Request) -> Response:
        user_id = self._tokens.user_of(request)
        limit = query_number(request, "limit")
        route = self._service.messages_route
        return response_of(await route.messages(user_id, self._thread_id(request), limit))

    async def delete_thread(self, request: Request) -> Response:
        user_id = self._tokens.user_of(request)
        route = self._service.thread_route
        return response_of(await route.delete_thread(user_id, self._thread_id(request)))

    async def delete_sessions(self, request: Request) -> Response:
        user_id = self._tokens.user_of(request)
        return response_of(await self._service.thread_route.delete_sessions(user_id))

    def _thread_id(self, request: Request) -> str:
        """Return the thread asked for; a missing one is as good as an empty one: refused."""
        return query_value(request, "thread_id") or ""

    async def _asked(self, request: Request) -> tuple[str, dict[str, Json]]:
        """Return who asks, and what; nothing is read of the body of somebody unknown."""
        user_id = self._tokens.user_of(request)
        body = await read_object(request, self._service.settings.message_bytes_max)
        check_user(user_id, body.get("user_id"))
        return user_id, body
