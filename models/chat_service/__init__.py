"""What a chat service must do: one contract, one vocabulary, one model."""

from threadline.contract import Contract

from models.chat_service.blame import blame
from models.chat_service.invariants import INVARIANTS
from models.chat_service.model import ChatServiceModel
from models.chat_service.operations import (
    History,
    Malformed,
    PingThread,
    QualityMetrics,
    QualityReport,
    Say,
    StartAgent,
    StopAgent,
    Subscribe,
    Validate,
)
from models.chat_service.operations_routes import (
    Broadcast,
    DeleteThread,
    Post,
    PostStream,
    ThreadMessages,
    Threads,
)
from models.chat_service.operations_storage import (
    CancelDatabase,
    CloseDatabase,
    CommitDatabase,
    Crash,
    OpenDatabaseSession,
    RaiseInDatabase,
    ReadDatabase,
    Restart,
    RollBackDatabase,
    StorageFails,
    StorageRecovers,
    WriteDatabase,
)
from models.chat_service.settings import Settings
from models.chat_service.teardown import teardown
from models.session_manager.operations import (
    Child,
    CleanUpSessions,
    Create,
    Existing,
    FromWebsocket,
    Get,
    GetSession,
    Invalidate,
    Tamper,
)
from models.session_manager.operations_connections import (
    CleanupManager,
    Connect,
    CreateManager,
    Cut,
    Disconnect,
    GetManager,
    ManagerCount,
    Mend,
    Metrics,
    Resume,
    Stall,
    Sweep,
    Wait,
)

# Getting, connections and their peers, managers, time; then frames, routes, life and storage.
OPERATIONS = (
    *(Get, GetSession, Create, Existing, FromWebsocket, Invalidate, CleanUpSessions),
    *(Child, Tamper),
    *(Connect, Disconnect, Stall, Resume, Cut, Mend),
    *(CreateManager, GetManager, CleanupManager, ManagerCount),
    *(Wait, Sweep, Metrics),
    *(Say, StartAgent, History, StopAgent, PingThread, Malformed),
    *(Subscribe, QualityMetrics, QualityReport, Validate),
    *(Post, PostStream, Threads, ThreadMessages, DeleteThread, Broadcast),
    *(Restart, Crash, StorageFails, StorageRecovers),
    *(OpenDatabaseSession, WriteDatabase, ReadDatabase, CommitDatabase, RollBackDatabase),
    *(CloseDatabase, RaiseInDatabase, CancelDatabase),
)

CHAT_SERVICE = Contract(
    name="chat_service",
    operations=OPERATIONS,
    model=ChatServiceModel,
    policy=None,
    blame=blame,
    invariants=INVARIANTS,
    teardown=teardown,
)

__all__ = ["CHAT_SERVICE", "OPERATIONS", "ChatServiceModel", "Settings"]
