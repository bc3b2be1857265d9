"""The driver of the parts of sessions/ that need no system around them."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from operator import attrgetter
from typing import Any

from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from threadline import Census, Driver, Refuse

import sessions
from models.parts import Parts
from models.parts.errors import NOTHING, OWN
from models.parts.model import INTERVAL_S, RAISES_KNOWN, WELL
from models.parts.values import CONTENTS, EVENTS, FRAMES, PAYLOADS
from models.session_manager.plain_data import added, described, spoil
from sessions import ChatSystem, Settings, UserExecutionContext, default, errors, quality
from sessions.clock import Clock
from sessions.context import ContextTimes
from sessions.errors import BadMessageError, InvalidContextError, RefusedError
from sessions.event import Event
from sessions.ids import IsolationKey
from sessions.messages.message import checked, draft_of, kind_of, parsed
from sessions.metrics import Refusals
from sessions.router import PendingResponse, PendingResponses
from sessions.routes import MessagesRoute, Reply, ThreadRoute, refusal
from sessions.service import ChatService
from sessions.session_manager import Sweeper
from sessions.storage.database import RequestScopedSessionFactory
from sessions.storage.failures import StorageErrors, why
from sessions.storage.failures import kind_of as kind_of_storage
from sessions.storage.lease import DatabaseTakenError
from sessions.storage.tables import StoredThread, Turn
from sessions.storage.thread_store import LiveSince

CONTEXT = UserExecutionContext("ana", "t", "r", "q")
WORDS = "words of the database\nand a second line"
STATEMENT, VALUES = "INSERT INTO turns", ("a secret",)
NAMES = ("thread_id", "run_id", "message_id")


class PartsDriver(Driver[Parts]):
    """Calls one part after another, and changes what it has given, and what it was handed."""

    refuses = {BadMessageError: attrgetter("code"), RefusedError: attrgetter("reason")}
    foreign = ("sqlalchemy", "aiosqlite", "sqlite3")

    def __init__(self) -> None:
        self._times = ContextTimes()
        self._responses = PendingResponses()
        self._readers: list[asyncio.Task[None]] = []
        self._noted = StorageErrors()
        self._counts: Counter[str] = Counter()
        self._how, self._done, self._is_running = WELL, 0, False
        self._refusals = Refusals()
        self._system = system = ChatSystem(Settings(sweep_interval_s=INTERVAL_S), self.clock)
        self._dependencies = system.dependencies
        self._sweeper = Sweeper(system.dependencies, self._sweep, (SQLAlchemyError,))
        self._log = _Lines()
        logging.getLogger("sessions").addHandler(self._log)

    async def context_of(self, field: str, value: object) -> object:
        context = replace(CONTEXT, **{field: value})  # type: ignore[arg-type]
        return repr(getattr(context, field))

    async def additional(self, word: str) -> object:
        given = added(word)
        context = replace(CONTEXT, additional_context=given)  # type: ignore[arg-type]
        spoil(given)
        spoil(context.additional_context)
        return described(context.additional_context)

    async def observe(self, seconds: float) -> object:
        self._times.observe(seconds)
        self._times.buckets().clear()
        return [*map(list, self._times.buckets()), self._times.sum_s()]

    async def parse(self, frame: str, room: int) -> object:
        sent = FRAMES[frame]
        return parsed(sent.data, sent.size_bytes + room)

    async def event(self, word: str) -> object:
        fields: dict[str, Any] = _copied(EVENTS[word])
        event = Event("message", IsolationKey("ana", "t"), "r", "e", None, fields)
        spoil(event.as_json())
        return [event.as_json(), event.size_bytes()]

    async def kind_of(self, given: object) -> object:
        return kind_of({"type": given})  # type: ignore[dict-item]

    async def id_of(self, name: str, own: object, inner: object) -> object:
        field = f"{name}_id"
        try:
            found = draft_of("ping", {field: own, "payload": {field: inner}})  # type: ignore[dict-item]
        except InvalidContextError as error:
            raise Refuse("bad_id", says=(str(error),)) from None
        others = [getattr(found, each) for each in NAMES if each != field]
        is_plain = found.kind == "ping" and not found.payload and others == [None, None]
        return getattr(found, field) if is_plain else repr(found)

    async def payload(self, word: str) -> object:
        tried = PAYLOADS[word]
        given = _copied(tried.payload)
        kept = checked(tried.kind, given)
        spoil(given)
        expected = tried.kept or {}
        return sorted([name, repr(kept[name])[:40]] for name in (expected or kept))

    async def judge(self, content: str, content_type: str, strict: bool) -> object:
        issues = quality.issues_of(CONTENTS[content], content_type, strict=strict)
        return [issues, quality.score_of(issues), quality.is_valid(issues, strict=strict)]

    async def average(self, scores: tuple[int, ...]) -> object:
        return quality.average(scores)

    async def told_of(self, error: str) -> object:
        given = _error(error)
        with _without_code(given):
            reply = refusal(given, "t")
        body = dict(reply.body)
        if body.pop("thread_id") != "t" or len(body) != len(("code", "message")):
            return repr(reply)
        return [body["code"], reply.status, body["message"]]

    async def note(self, error: str) -> object:
        noted = _storage_error(error)
        kind, said = kind_of_storage(noted), why(noted)
        self._noted.note(noted, "a test", "ana", "t")
        self._counts[kind] += 1
        line = f"storage error ({kind}) in a test, user 'ana', thread 't': {said}"
        if self._log.take() != [line]:
            return "another line of the log"
        counts = dict(self._noted.counts())
        is_counted = {each: n for each, n in counts.items() if n} == dict(self._counts)
        return [kind, said] if is_counted else counts

    async def request(self, what: str, error: str) -> object:
        if error == NOTHING:
            reply = await self._reply(what, _Store())
            return [reply.status, dict(reply.body)]
        given = _error(error)
        with _without_code(given):
            reply = await self._reply(what, _Store(given))
        kind, said = kind_of_storage(given), why(given)
        whom = ", user 'ana'" + (", thread 't'" if reply.body["thread_id"] else "")
        lines = self._log.take()
        self._counts.update(kind for _ in lines)
        is_so = lines == [f"storage error ({kind}) in {what}{whom}: {said}"]
        body = reply.body
        told = [body["code"], reply.status, body["message"], body["thread_id"]]
        return [*told, [kind, said] if is_so else lines]

    async def turn_away(self, limit: str) -> object:
        self._refusals.note(limit)
        self._refusals.counts().clear()  # type: ignore[attr-defined]  # it is a copy of the counts
        return list(map(list, self._refusals.counts().items()))

    async def begin_sweeps(self) -> None:
        try:
            self._sweeper.start()
        except RuntimeError as error:
            raise Refuse("it runs", says=(str(error),)) from None

    async def end_sweeps(self) -> None:
        await self._sweeper.stop()

    async def sweeps_become(self, how: str) -> None:
        self._how = how

    async def open_response(self, name: str) -> None:
        if self._responses.find(name):
            raise Refuse("waits already")
        reader = asyncio.create_task(self._read(name, self._responses.open(name)))
        self._readers = [task for task in self._readers if not task.done()] + [reader]

    async def offer(self, name: str, text: str) -> None:
        if response := self._responses.find(name):
            key = IsolationKey("ana", "t")
            response.offer(Event("message", key, None, "e", None, {"text": text}))

    async def finish(self, name: str | None) -> None:
        self._responses.finish(name)

    async def finish_all(self) -> None:
        self._responses.finish_all()

    async def process_default(self) -> object:
        default.set_default_system(None)
        system, service = default.default_system(), default.default_service()
        own = ChatSystem()
        is_one = default.default_system() is system and default.default_service() is service
        is_whole = service.system is system and system.settings == Settings()
        is_alive = bool(default.get_user_execution_context("ana").thread_id)
        default.set_default_system(own)
        is_put = default.default_system() is own and default.default_service().system is own
        default.set_default_service(service)
        is_back = default.default_system() is system and default.default_service() is service
        default.set_default_service(None)
        is_new = default.default_system() not in (system, own)
        default.set_default_system(None)
        is_right = is_one and is_whole and is_alive and is_put and is_back and is_new
        return is_right and has_late_names() and await ends_with_its_block(self.clock)

    def census(self) -> Census:
        logged = sum("sweep raised" in line for line in self._log.lines)
        errors_noted = self._dependencies.metrics.sweep_errors
        return {
            "sweeps": {"done": self._done, "errors": errors_noted, "logged": logged},
            "running": self._dependencies.tasks.names() == ("sweep",),
            "waiting": len(self._responses),
        }

    def close(self) -> None:
        logging.getLogger("sessions").removeHandler(self._log)
        super().close()

    async def _reply(self, what: str, store: Any) -> Reply:
        system = self._system
        reads = MessagesRoute(store, store, system.contexts, system.registry, self._noted)
        ends = ThreadRoute(store.delete_thread, store.invalidate, self._noted)
        replies = {
            "GET /threads": lambda: reads.threads("ana"),
            "GET /threads/messages": lambda: reads.messages("ana", "t"),
            "DELETE /threads": lambda: ends.delete_thread("ana", "t"),
            "DELETE /sessions": lambda: ends.delete_sessions("ana"),
        }
        return await replies[what]()

    async def _sweep(self) -> None:
        self._done += 1
        if self._how == RAISES_KNOWN:
            raise SQLAlchemyError("noted already")
        if self._how != WELL:
            raise RuntimeError("it cannot be swept")

    async def _read(self, name: str, response: PendingResponse) -> None:
        async for event in response.events():
            self.tell(name, event.fields["text"])
        self.tell(name, "end")


class _Store:
    """A store of ana's, with one turn on t, which fails whatever it is asked for if it can."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    async def threads_of(self, user: str, live_since: LiveSince) -> list[StoredThread]:
        self._fail()
        is_live = live_since(IsolationKey(user, "t")) is not None
        return [StoredThread(user, "t", "r", 5.0)] if user == "ana" and not is_live else []

    async def latest_turns(self, context: UserExecutionContext, limit: int) -> list[Turn]:
        self._fail()
        is_ours = (context.user_id, context.thread_id, limit) == ("ana", "t", 50)
        return [Turn(2, "agent", "hello", "m", "r", 7.0)] if is_ours else []

    async def delete_thread(self, user: str, thread: str) -> bool:
        self._fail()
        return (user, thread) == ("ana", "t")

    async def invalidate(self, user: str) -> int:
        self._fail()
        return 3 if user == "ana" else 0

    def _fail(self) -> None:
        if self._error is not None:
            raise self._error


class _Lines(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())

    def take(self) -> list[str]:
        taken = [line for line in self.lines if "storage error" in line]
        self.lines = [line for line in self.lines if line not in taken]
        return taken


@contextmanager
def _without_code(given: Exception) -> Iterator[None]:
    """Refuse where an error comes back that has no code."""
    try:
        yield
    except Exception as raised:
        if raised is not given:
            raise
        raise Refuse("no code") from raised


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in value.items()}
    return list(map(_copied, value)) if isinstance(value, list) else value


def _error(word: str) -> Exception:
    name, _, code = word.partition(" ")
    made: dict[str, Exception] = {
        "BadMessageError": BadMessageError(code, OWN),
        "InvalidContextError": InvalidContextError("thread_id", 7, "be a string"),
        "OperationalError": OperationalError(STATEMENT, VALUES, Exception(WORDS)),
        "OSError": OSError(WORDS),
        "DatabaseTakenError": DatabaseTakenError(WORDS),
        "ValueError": ValueError(OWN),
    }
    return made.get(name) or getattr(errors, name)(OWN)


class Error(Exception):
    """What the driver of a database raises, with the name of its code."""

    sqlite_errorname: str | None = None
    sqlstate: str | None = None


def _storage_error(word: str) -> Exception:
    database, colon, code = word.partition(":")
    if colon:
        own = Error(WORDS)
        own.sqlite_errorname = code if database == "sqlite" else None
        own.sqlstate = code if database == "postgresql" else None
        is_lost = database == "lost"
        return DBAPIError(STATEMENT, VALUES, own, connection_invalidated=is_lost)
    made: dict[str, Exception] = {
        "TimeoutError": TimeoutError(),
        "ConnectionRefusedError": ConnectionRefusedError(WORDS),
        "OSError without words": OSError(),
        "PoolTimeoutError": errors.PoolTimeoutError(WORDS),
        "DatabaseTakenError": DatabaseTakenError(WORDS),
        "SQLAlchemyError": SQLAlchemyError(WORDS),
    }
    return made[word]


class SlowToClose:
    """A socket that is not closed at once; no time passes, as nothing lets it here."""

    async def send_json(self, data: object) -> None:
        """Take whatever is sent."""

    async def close(self, code: int) -> None:  # noqa: ARG002  # as sockets are closed
        for _ in range(9):
            await asyncio.sleep(0)


async def ends_with_its_block(clock: Clock) -> bool:
    """Return whether a system begins with its block, and ends with it, as all of its tasks do."""
    async with ChatSystem(clock=clock) as system:
        has_begun = system.census().tasks == ("sweep",)
        await system.connector.connect(SlowToClose(), "ana")
    return has_begun and system.census().tasks == ()


def has_late_names() -> bool:
    """Return whether the package has the names that are loaded late, and no others."""
    names = {"ChatService": ChatService, "RequestScopedSessionFactory": RequestScopedSessionFactory}
    is_all = all(getattr(sessions, name) is kind for name, kind in names.items())
    return is_all and not hasattr(sessions, "nobody")
