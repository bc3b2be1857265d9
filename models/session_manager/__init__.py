"""What a session manager must do: one contract, one vocabulary, one model."""

from threadline.contract import Contract

from models.session_manager.blame import blame
from models.session_manager.invariants import INVARIANTS
from models.session_manager.model import SessionManagerModel
from models.session_manager.operations import (
    BaseId,
    Child,
    CleanUpSessions,
    ContextIds,
    Create,
    Existing,
    FromWebsocket,
    Get,
    GetSession,
    Invalidate,
    ReadId,
    Tamper,
    WebsocketIds,
)
from models.session_manager.operations_connections import (
    CleanupManager,
    Connect,
    CreateManager,
    Cut,
    Deliver,
    Disconnect,
    GetManager,
    ManagerCount,
    Mend,
    Message,
    Metrics,
    Ping,
    Resume,
    Stall,
    Sweep,
    Wait,
)
from models.session_manager.settings import Settings
from models.session_manager.teardown import teardown

# Getting, then ids, connections and their peers, managers, time.
OPERATIONS = (
    *(Get, GetSession, Create, Existing, FromWebsocket, Invalidate, CleanUpSessions),
    *(Child, Tamper),
    *(BaseId, ContextIds, WebsocketIds, ReadId),
    *(Connect, Disconnect, Message, Ping, Deliver, Stall, Resume, Cut, Mend),
    *(CreateManager, GetManager, CleanupManager, ManagerCount),
    *(Wait, Sweep, Metrics),
)

SESSION_MANAGER = Contract(
    name="session_manager",
    operations=OPERATIONS,
    model=SessionManagerModel,
    policy=None,
    blame=blame,
    invariants=INVARIANTS,
    teardown=teardown,
)

__all__ = ["OPERATIONS", "SESSION_MANAGER", "SessionManagerModel", "Settings"]
