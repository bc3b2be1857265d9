"""Systems of which one line gives way in the wrong place, or leaves something when it is cut."""

from __future__ import annotations

from functools import partial

from threadline.campaign.change import Change
from threadline.contracts.at_once import StoreAtOnce

from drivers.sessions import SessionsDriver
from drivers.stored_turns import StoredTurnsDriver
from scenarios.overlap import (
    Overlap,
    OverlapCancelled,
    OverlapExpiry,
    OverlapReconnects,
    OverlapStalled,
)
from scenarios.stored_turns import TurnsAtOnce, TurnsCancelled
from tests.mutants import line as of
from tests.toys.rewritten import FileStoreDriver

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
LocksItsSends = manager(
    "LocksItsSends",
    "Holds one lock while it sends, for all: who takes nothing holds up the others.",
    "event.Connection.run",
    scenario=OverlapStalled,
    old="if await self._in_time(self._sending, self._ended):",
    new="connector = self._on_dead.__self__\n"
    "async with connector.__dict__.setdefault('sending', asyncio.Lock()):\n"
    "    has_succeeded = await self._in_time(self._sending, self._ended)\n"
    "if has_succeeded:",
)
EndsByAnOldGrace = manager(
    "EndsByAnOldGrace",
    "Ends a manager when the grace of a lost connection is over, though another one came.",
    "manager.Connector.handle_websocket_disconnect",
    scenario=OverlapReconnects,
    old="return True",
    new="def end() -> None:\n"
    "    if manager := self._factory.find_of(connection.context):\n"
    "        self._factory.end(manager, GOING_AWAY)\n"
    "if left_alone and code != CLEAN:\n"
    "    loop = __import__('asyncio').get_running_loop()\n"
    "    loop.call_later(self._dependencies.settings.reconnect_grace_s, end)\n"
    "return True",
)
SavesThenPops = manager(
    "SavesThenPops",
    "Saves in a thread what has expired before it ends it, though it may be in use again by then.",
    "session_manager.ChatSystem._sweep",
    scenario=OverlapExpiry,
    old="self.sweep()",
    new="registry = self.registry\n"
    "due = [each for each in registry._sessions.values() if registry._is_due(each)]\n"
    "self.factory.release_due()\n"
    "if due:\n"
    "    await asyncio.to_thread(repr, due)\n"
    "for session in due:\n"
    "    registry._end(session)",
)
LeavesItsManager = manager(
    "LeavesItsManager",
    "Sends what a connection is told first before it adds it, and leaves the rest where it is cut.",
    "manager.Connector.connect",
    scenario=OverlapCancelled,
    old="self._attach(manager, context, websocket, resumed=visit.resumed)",
    new="await websocket.send_json(self._connected(context, resumed=visit.resumed).as_json())\n"
    "self._attach(manager, context, websocket, resumed=visit.resumed)",
    also=(
        Change(
            "sessions.manager.Connector._attach",
            old="connection.hand_over(connected, recoverable=False)",
            new="",
        ),
    ),
)
MixesTheTabs = manager(
    "MixesTheTabs",
    "Gives way between the tabs of a thread, so that another event overtakes it at one of them.",
    "router.Router.deliver",
    old="manager.deliver(event)",
    new="for tab in [*manager.connections.values()]:\n"
    "    tab.offer(event, recoverable=True)\n"
    f"    await {GIVE_WAY}\n"
    "if not manager.connections:\n"
    "    manager.deliver(event)",
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
PreparesTwice = stored(
    "PreparesTwice",
    "Prepares the database at its first use, for each caller who comes before that is done.",
    "database.RequestScopedSession.execute",
    old="return await self._connection.execute(statement, values)",
    new="made = self._database.__dict__\n"
    "if 'prepared' not in made:\n"
    "    text = __import__('sqlalchemy').text('CREATE TABLE prepared (id INTEGER)')\n"
    "    await self._connection.execute(text, None)\n"
    "    made['prepared'] = True\n"
    "return await self._connection.execute(statement, values)",
)
WritesTheFileTwice = of.line(
    FileStoreDriver,
    "tests.toys.rewritten",
    "WritesTheFileTwice",
    "Reads and writes a whole file while another one does.",
    "FileStore._change",
    scenario=StoreAtOnce,
    old="async with self._writes:",
    new="if True:",
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
    LocksItsSends,
    EndsByAnOldGrace,
    SavesThenPops,
    LeavesItsManager,
    MixesTheTabs,
    PositionsTwice,
    DeletesByHalves,
    AnswersAfterTheEnd,
    PreparesTwice,
    WritesTheFileTwice,
    CutsStatements,
    CutsCommits,
    KeepsThePlace,
    FirstPlaceIsLost,
)
