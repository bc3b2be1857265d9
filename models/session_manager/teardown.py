"""What takes a session manager back to empty, from wherever it is."""

from __future__ import annotations

from collections.abc import Iterator

from threadline.operation import Operation

from models.session_manager.model import SessionManagerModel
from models.session_manager.operations import Invalidate
from models.session_manager.operations_connections import Disconnect, Sweep, Wait
from models.session_manager.switchboard import CLEAN


def teardown(model: SessionManagerModel) -> Iterator[Operation]:
    """Close every connection, wait out sends and grace, end what sessions are left, and sweep.

    Sessions are ended and not waited out, as a day has 1,440 sweeps; scenarios that draw a short
    life for them wait it out themselves.
    """
    state = model.state
    for connection in list(state.board.connections):
        yield Disconnect(connection, CLEAN)
    settings = state.settings
    yield Wait(int(max(settings.send_timeout_s, settings.reconnect_grace_s)) + 1)
    for user in dict.fromkeys(user for user, _ in (*state.sessions.live, *state.board.managers)):
        yield Invalidate(user)
    yield Sweep()
    yield Wait(int(settings.send_timeout_s) + 1)  # for sockets that do not close
