"""Systems of which one line gives way in the wrong place, or leaves something when it is cut."""

from __future__ import annotations

from functools import partial

from threadline.campaign.change import Change

from drivers.sessions import SessionsDriver
from drivers.stored_turns import StoredTurnsDriver
from scenarios.overlap import Overlap
from scenarios.stored_turns import TurnsAtOnce, TurnsCancelled
from tests.mutants import line as of

GIVE_WAY = '__import__("asyncio").sleep(0)'  # what an await of anything does, at least

manager = partial(of.line, SessionsDriver, "sessions", scenario=Overlap)
stored = partial(of.line, StoredTurnsDriver, "sessions.storage", scenario=TurnsAtOnce)
cancelled = partial(of.line, StoredTurnsDriver, "sessions.storage", scenario=TurnsCancelled)

TakesNameTwice = manager(
    "TakesNameTwice",
    "Gives way between the check of a connection's name and its use.",
    "manager.Connector.connect",
    old="self._release_due(user_id, websocket, connection_id)",
    new=f"await {GIVE_WAY}\nself._release_due(user_id, websocket, connection_id)",
)
MakesManagerTwice = manager(
    "MakesManagerTwice",
    "Gives way between the look for a manager and the making of one.",
    "manager.Connector.connect",
    old="manager = self._factory.manager_of(context)",
    new="factory, key = self._factory, IsolationKey(user_id, context.thread_id)\n"
    "found = factory.find(key)\n"
    f"await {GIVE_WAY}\n"
    "manager = found or factory._create(key, context)",
    also=(
        Change(
            "sessions.manager.WebSocketManagerFactory.create_manager",
            old="manager = self.manager_of(user_context)",
            new="key = self._generate_isolation_key(user_context)\n"
            "found = self.find(key)\n"
            f"await {GIVE_WAY}\n"
            "manager = found or self._create(key, user_context)",
        ),
    ),
)
EndsANewManager = manager(
    "EndsANewManager",
    "Gives way before it ends the manager that it has found.",
    "manager.WebSocketManagerFactory.cleanup_manager",
    old="return manager is not None and self.end(manager, GOING_AWAY)",
    new=f"await {GIVE_WAY}\nreturn manager is not None and self.end(manager, GOING_AWAY)",
)
WritesBackConnections = manager(
    "WritesBackConnections",
    "Writes back the connections of a manager as they were before one left.",
    "manager.Connector.handle_websocket_disconnect",
    old="left_alone = self._remove(connection, close_code=None)",
    new="manager = self._manager_of(connection)\n"
    "rest = dict(manager.connections)\n"
    "del rest[connection.connection_id]\n"
    f"await {GIVE_WAY}\n"
    "left_alone = self._remove(connection, close_code=None)\n"
    "manager.connections = rest",
)
SweepsALiveDict = manager(
    "SweepsALiveDict",
    "Iterates over all managers, and gives way at each.",
    "session_manager.ChatSystem.invalidate_user_sessions",
    old="self.factory.end_user(user_id, INVALIDATED)",
    new="for manager in self.factory._managers.values():\n"
    f"    await {GIVE_WAY}\n"
    "self.factory.end_user(user_id, INVALIDATED)",
)
SharesTheUser = manager(
    "SharesTheUser",
    "Keeps the user of a message in the router, over a wait.",
    "router.Router.message",
    old="asker = self._live(user_id, connection_id) if connection_id else None",
    new="self._user = user_id\n"
    f"await {GIVE_WAY}\n"
    "user_id = self._user\n"
    "asker = self._live(user_id, connection_id) if connection_id else None",
)
SendsToALiveDict = manager(
    "SendsToALiveDict",
    "Iterates over the connections of a manager, and gives way at each.",
    "router.Router.deliver",
    old="key = IsolationKey(user_id, thread_id)",
    new="key = IsolationKey(user_id, thread_id)\n"
    "for _ in getattr(self._factory.find(key), 'connections', ()):\n"
    f"    await {GIVE_WAY}",
)
ReplaysWhatWasReplayed = manager(
    "ReplaysWhatWasReplayed",
    "Writes back what waits for a reconnect as it was before another one came.",
    "manager.Connector.connect",
    old="manager = self._factory.manager_of(context)",
    new="manager = self._factory.manager_of(context)\n"
    "waiting = manager._recovery.copy()\n"
    f"await {GIVE_WAY}\n"
    "manager._recovery = waiting",
)
PositionsTwice = stored(
    "PositionsTwice",
    "Looks for a position in one transaction, and uses it in the next.",
    "turn_store.TurnStore._append",
    old="added = await session.execute(TURN_ADDED,",
    new="last = select(func.coalesce(func.max(TURNS.c.position), 0)).where(_is_of_thread(TURNS))\n"
    "found = await session.execute(last, run)\n"
    "await session.commit()\n"
    "added = await session.execute(TURN_ADDED.values(position=found.scalar_one() + 1),",
)
DeletesByHalves = stored(
    "DeletesByHalves",
    "Removes a thread and its turns in two transactions.",
    "turn_store.TurnStore.delete_thread",
    old="await session.execute(removed, self._ids(context))",
    new="await session.execute(removed, self._ids(context))\nawait session.commit()",
)
AnswersAfterTheEnd = stored(
    "AnswersAfterTheEnd",
    "Looks whether a run goes on in one transaction, and stores its answer in another.",
    "turn_store.TurnStore.append_agent_turn",
    old="if touched.first() is None:",
    new="gone = touched.first() is None\nawait session.commit()\nif gone:",
)
CutsStatements = cancelled(
    "CutsStatements",
    "Lets a caller who leaves cut a statement: its connection keeps the lock.",
    "database.RequestScopedSession.execute",
    old="return await self._connection.execute(statement, values)",
    new="return await self._connection._execute(statement, values)",
)
CutsCommits = cancelled(
    "CutsCommits",
    "Lets a caller who leaves cut a statement of a transaction without a context.",
    "engine.WholeConnection.execute",
    old="return await whole(self._execute(statement, values))",
    new="return await self._execute(statement, values)",
)
KeepsThePlace = cancelled(
    "KeepsThePlace",
    "Keeps a place for a caller who has left the line.",
    "database.Places._wait",
    old="except asyncio.CancelledError:",
    new="except ZeroDivisionError:",
)
FirstPlaceIsLost = cancelled(
    "FirstPlaceIsLost",
    "Gives a place back only where nothing was raised.",
    "database.Places.held",
    old="finally:",
    new="except ZeroDivisionError:\n    pass\nelse:",
)

RACES = (
    TakesNameTwice,
    MakesManagerTwice,
    EndsANewManager,
    WritesBackConnections,
    SweepsALiveDict,
    SharesTheUser,
    SendsToALiveDict,
    ReplaysWhatWasReplayed,
    PositionsTwice,
    DeletesByHalves,
    AnswersAfterTheEnd,
    CutsStatements,
    CutsCommits,
    KeepsThePlace,
    FirstPlaceIsLost,
)
