"""Session managers with one leak each, in every form that a leak takes."""

from __future__ import annotations

import os
import threading
import weakref
from contextlib import suppress

from threadline.campaign.change import Change
from threadline.campaign.mutant import Mutant

from scenarios.connections import Connections
from scenarios.conversation import Conversation
from sessions.manager import Connector
from tests.mutants.sessions import leak

PUBLISH = "if manager := self._factory.find(event.key):"
CREATE = "manager = self._factory.manager_of(context)"

KeepsEndedManagers = leak(
    "KeepsEndedManagers",
    "Keeps each manager that it has ended, for statistics that nobody asks for (seed 003).",
    "manager.WebSocketManagerFactory.end",
    old="self._metrics.cleanup_attempts += 1",
    new='vars(self).setdefault("_ended", {})[manager.context.request_id] = manager\n'
    "self._metrics.cleanup_attempts += 1",
    scenario=Connections,
    path="system.factory._ended",
    steps=1,
)
KeepsHandlers = leak(
    "KeepsHandlers",
    "Registers a closure for the reply to each message, and takes none away.",
    "router.Router.publish",
    old=PUBLISH,
    new=f'vars(self).setdefault("_on_reply", []).append(lambda: (event, asker))\n{PUBLISH}',
    scenario=Conversation,
    path="system.router._on_reply",
    steps=1,
)
RecoversForEver = leak(
    "RecoversForEver",
    "Starts a recovery for each socket that dropped, and cancels it for no reconnect.",
    "manager.Connector.handle_websocket_disconnect",
    old="return True",
    new="if code != CLEAN:\n"
    "    from asyncio import sleep\n"
    '    self._dependencies.tasks.start(sleep(10 * 365 * 86_400), "recovery")\n'
    "return True",
    scenario=Connections,
    path="loop.task",
    steps=2,
)
KeepsConnectionIds = leak(
    "KeepsConnectionIds",
    "Remembers the id of every connection that there ever was.",
    "manager.Connector.connect",
    old=CREATE,
    new=f'vars(self).setdefault("_seen", set()).add(context.websocket_connection_id)\n{CREATE}',
    scenario=Connections,
    path="system.connector._seen",
    steps=1,
)
AuditsNothing = leak(
    "AuditsNothing",
    "Keeps what the log returned for each message, which is None.",
    "router.Router.publish",
    old=PUBLISH,
    new="from logging import info\n"
    'wrote = info("message on %s", event.key.thread_id)\n'
    f'vars(self).setdefault("_audit", []).append(wrote)\n{PUBLISH}',
    scenario=Conversation,
    path="system.router._audit",
    steps=1,
)
CachesContexts = leak(
    "CachesContexts",
    "Caches every context in a list of another package, which outlives all of them.",
    "contexts.Contexts.get_user_execution_context",
    old="return context",
    new="from tests.mutants import foreign\nforeign.KEPT.append(context)\nreturn context",
    scenario=Conversation,
    path="alive_UserExecutionContext",
    steps=1,
    also=(
        Change(  # what the systems of other runs have left there
            "sessions.contexts.Contexts.__init__",
            "self._ids = ids",
            "from tests.mutants import foreign\nforeign.KEPT.clear()\nself._ids = ids",
        ),
    ),
)
KeepsDropped = leak(
    "KeepsDropped",
    "Keeps a socket that dropped without a close, and forgets one that closed.",
    "manager.Connector.handle_websocket_disconnect",
    old="return True",
    new="if code != CLEAN:\n"
    '    vars(self).setdefault("_dropped", []).append(websocket)\n'
    "return True",
    scenario=Connections,
    path="system.connector._dropped",
    steps=2,
)
KeepsEverySecondReconnect = leak(
    "KeepsEverySecondReconnect",
    "Swaps two lists at each reconnect, and clears only one of them.",
    "manager.Connector._attach",
    old="dependencies = self._dependencies",
    new="dependencies = self._dependencies\n"
    'vars(self)["_reconnects"] = vars(self).get("_reconnects", 0) + resumed\n'
    "if resumed and self._reconnects % 2 == 0:\n"
    '    vars(self).setdefault("_resumed", []).append(context)',
    scenario=Connections,
    path="system.connector._resumed",
    steps=2,
)
KeepsFailures = leak(
    "KeepsFailures",
    "Keeps each connection that did not take an event, to try again one day.",
    "manager.Connector._lost",
    old="self._remove(connection, close_code=UNDELIVERABLE)",
    new='vars(self).setdefault("_failed", {})[connection.context.request_id] = connection\n'
    "self._remove(connection, close_code=UNDELIVERABLE)",
    scenario=Connections,
    path="system.connector._failed",
    steps=1,
)
TaskPerDisconnect = leak(
    "TaskPerDisconnect",
    "Watches each socket that has left, in a task that waits for what never happens.",
    "manager.Connector.handle_websocket_disconnect",
    old="return True",
    new="from asyncio import Event\n"
    'self._dependencies.tasks.start(Event().wait(), "watch")\n'
    "return True",
    scenario=Connections,
    path="loop.task",
    steps=1,
)
ThreadPerConnection = leak(
    "ThreadPerConnection",
    "Starts a thread to write the log of each connection, and ends none before the system.",
    "manager.Connector.connect",
    old=CREATE,
    new=f"from tests.mutants.leaks import start_thread\nstart_thread(self)\n{CREATE}",
    scenario=Connections,
    path="threads",
    steps=1,
)

GUARD_S = 600
_READERS: weakref.WeakSet[threading.Thread] = weakref.WeakSet()

MUTANTS = tuple(each for each in list(vars().values()) if isinstance(each, Mutant))


def start_thread(connector: Connector) -> None:
    """Start a thread that waits until the connector is gone."""
    held = vars(connector)
    if "_log" not in held:
        # A pipe, as those who wait for an event are seen in it: a leak of another class.
        held["_log"], end = os.pipe()
        weakref.finalize(connector, _close, end, held["_log"])
    thread = threading.Thread(
        target=_read, args=(held["_log"],), name=_name(held["_log"]), daemon=True
    )
    _READERS.add(thread)
    thread.start()


def _read(end: int) -> None:
    with suppress(OSError):  # the system may end before the thread begins
        os.read(end, 1)


def _close(end: int, log: int) -> None:
    """End the threads of a log, and wait: else they would end while the next run counts its own."""
    os.close(end)
    for thread in [each for each in _READERS if each.name == _name(log)]:
        thread.join(GUARD_S)
    os.close(log)


def _name(log: int) -> str:
    return f"log {log}"
