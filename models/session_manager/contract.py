"""What a session manager offers, in parts that a driver can have or lack."""

from __future__ import annotations

from typing import Protocol

from threadline.handle import Handle
from threadline.outcome import Outcome

Text = str | Handle
Key = tuple[str, Text]


class Getter(Protocol):
    """Sessions by user and thread, and the contexts of them.

    A context is shown as what its holder can read. None and "" mean that an id is not given.
    """

    def get(self, user: str, thread: Text | None, run: Text | None) -> Outcome:
        """Return the context of a thread, or of the user's latest, or of a new one."""
        ...

    def get_session(self, user: str, thread: Text | None, run: Text | None) -> Outcome:
        """Do the same, and return the three ids alone."""
        ...

    def create(self, user: str, thread: Text | None, run: Text | None) -> Outcome:
        """Do what get does, with the warning that this is deprecated."""
        ...

    def existing(self, user: str, thread: Text | None) -> Outcome:
        """Return the ids of a live session or None; create and extend nothing."""
        ...

    def from_websocket(self, user: str, name: Text | None, additional: tuple[str, ...]) -> Outcome:
        """Begin a conversation, and return its context with these tags in it."""
        ...

    def invalidate(self, user: str) -> Outcome:
        """End all that a user has; return how many sessions were live."""
        ...

    def clean_up_sessions(self) -> Outcome:
        """Free the sessions that sat idle for too long; return how many."""
        ...

    def child(self, context: Handle, deep: int) -> Outcome:
        """Return the context that is deeper by so much."""
        ...

    def tamper(self, context: Handle) -> Outcome:
        """Try to change a context to any depth; return what its holder reads afterwards."""
        ...


class Ids(Protocol):
    """Generated ids, shown by what is fixed of them, and read back."""

    def base_id(self, prefix: str, random_length: int) -> Outcome:
        """Make an id with so many random digits; 0 for none."""
        ...

    def context_ids(self, user: str, purpose: str) -> Outcome:
        """Make the three ids of a new conversation."""
        ...

    def websocket_ids(self, user: str) -> Outcome:
        """Make a client and a connection id."""
        ...

    def read_id(self, text: Text) -> Outcome:
        """Say whether a text is a generated id, when it was made, and how old it is."""
        ...


class Connections(Protocol):
    """Sockets on threads. Every outcome tells what arrived at each of them since the last."""

    def connect(self, user: str, thread: Text | None, name: Text | None, peer: str) -> Outcome:
        """Connect a socket whose peer is such (peers.PEERS); return it with its context."""
        ...

    def disconnect(self, connection: Handle, code: int) -> Outcome:
        """Let the peer close its socket; return whether it was live."""
        ...

    def message(
        self,
        user: str,
        thread: Text | None,
        run: Text | None,
        connection: Handle | None,
        text: str,
    ) -> Outcome:
        """Send a message, with or without a connection; return its context."""
        ...

    def ping(self, user: str, connection: Handle, thread: Text | None) -> Outcome:
        """Send a ping on a connection, on its own thread or on another."""
        ...

    def deliver(self, user: str, thread: Text, text: str) -> Outcome:
        """Send an event of an agent to a thread."""
        ...


class Faults(Protocol):
    """What befalls the peer of a live connection, in pairs."""

    def stall(self, connection: Handle) -> Outcome:
        """Let a peer take nothing for now."""
        ...

    def resume(self, connection: Handle) -> Outcome:
        """Let a stalled peer take what waits."""
        ...

    def cut(self, connection: Handle) -> Outcome:
        """Let every send to a peer raise."""
        ...

    def mend(self, connection: Handle) -> Outcome:
        """Let a cut peer take events again, if nobody noticed."""
        ...


class Managers(Protocol):
    """Managers, named by a key, by a context, by both or by neither."""

    def create_manager(self, context: Handle | None, user: str | None) -> Outcome:
        """Return the own context of a context's manager, or of that of a new conversation."""
        ...

    def get_manager(self, key: Key | None, context: Handle | None) -> Outcome:
        """Return the key of a live manager, or None."""
        ...

    def cleanup_manager(self, key: Key | None, context: Handle | None) -> Outcome:
        """End a manager; return whether there was one."""
        ...

    def manager_count(self, user: str) -> Outcome:
        """Return how many managers of a user can be reached."""
        ...


class Life(Protocol):
    """Time, and what it does."""

    def wait(self, seconds: int) -> Outcome:
        """Let time pass."""
        ...

    def sweep(self) -> Outcome:
        """Free what is due, and close its sockets."""
        ...

    def metrics(self) -> Outcome:
        """Return the counts by name."""
        ...


class SessionManager(Getter, Ids, Connections, Faults, Managers, Life, Protocol):
    """The whole contract."""
