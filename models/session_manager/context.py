"""The context of one request: the ids that every component is handed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from threadline import Handle

from models.session_manager.ids import Id, Key

KEPT = 4  # contexts: as many as a scenario needs to choose from


@dataclass(frozen=True, slots=True)
class Context:
    """A frozen value; `handle` stands for the system's own object."""

    handle: Handle
    user: str
    thread: Id
    run: Id
    request: Handle
    client: Handle
    created_s: float
    connection: Id | None = None
    additional: Mapping[str, object] = field(default_factory=dict)
    depth: int = 0

    @property
    def key(self) -> Key:
        return self.user, self.thread

    def view(self) -> dict[str, object]:
        """Return what a holder can read of it, without what it has not."""
        seen: dict[str, object] = {
            "context": self.handle,
            "user": self.user,
            "thread": self.thread,
            "run": self.run,
            "request": self.request,
            "client": self.client,
            "created_s": self.created_s,
        }
        optional = {
            "connection": self.connection,
            "additional": dict(self.additional),
            "depth": self.depth,
        }
        return seen | {name: value for name, value in optional.items() if value}


class Contexts:
    """The contexts handed out last, so that a later operation can use them again."""

    def __init__(self) -> None:
        self.kept: dict[Handle, Context] = {}

    def keep(self, context: Context) -> dict[str, object]:
        """Remember a context that is handed out, and return what its holder sees."""
        self.kept[context.handle] = context
        while len(self.kept) > KEPT:
            del self.kept[next(iter(self.kept))]
        return context.view()

    def of(self, handle: Handle) -> Context:
        """Return the context of a handle; raises KeyError for one no longer kept."""
        return self.kept[handle]
