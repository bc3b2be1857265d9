"""What takes a chat service back to empty, from wherever it is."""

from __future__ import annotations

from collections.abc import Iterator

from threadline.operation import Operation

from models.chat_service.model import ChatServiceModel
from models.chat_service.operations_routes import DeleteThread
from models.chat_service.operations_storage import CloseDatabase, StorageRecovers
from models.session_manager.operations import Invalidate
from models.session_manager.operations_connections import Disconnect, Sweep, Wait
from models.session_manager.switchboard import CLEAN


def teardown(model: ChatServiceModel) -> Iterator[Operation]:
    """Close every database session and every connection, wait, end sessions, delete threads.

    What waits for a place of the pool gets it within the wait, or gives up; an agent that never
    ends is cancelled with its session.
    """
    if model.service.turns.fails:
        yield StorageRecovers()
    for session in list(model.service.databases.open):
        yield CloseDatabase(session)
    for connection in list(model.state.board.connections):
        yield Disconnect(connection, CLEAN)
    settings = model.service.settings
    pauses_s = settings.send_timeout_s, settings.reconnect_grace_s, settings.pool_timeout_s
    yield Wait(int(max(pauses_s)) + 1)
    for user in dict.fromkeys(user for user, _ in _keys(model)):
        yield Invalidate(user)
    for key in list(model.service.turns.stored):
        yield DeleteThread(*key)
    yield Sweep()
    yield Wait(int(settings.send_timeout_s) + 1)  # for sockets that do not close


def _keys(model: ChatServiceModel) -> list[tuple[str, object]]:
    state, requests = model.state, model.service.requests
    return [*state.sessions.live, *state.board.managers, *requests.lines]
