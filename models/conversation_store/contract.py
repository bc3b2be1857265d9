"""What a conversation store offers, in three parts that a driver can have or lack."""

from __future__ import annotations

from typing import Protocol

from threadline.handle import Handle
from threadline.outcome import Outcome


class Conversations(Protocol):
    """Turns under the key (user, thread), through a handle on an open conversation.

    Ids are any text: no two different pairs ever meet, none is trimmed, folded or normalised.
    """

    def open(self, user: str, thread: str) -> Outcome:
        """Return a handle on the conversation; opening alone creates nothing."""
        ...

    def append(self, conversation: Handle, text: str) -> Outcome:
        """Add a turn at the end; the first one creates the conversation."""
        ...

    def history(self, conversation: Handle, limit: int | None) -> Outcome:
        """Return the turns in order: all of them, or the latest `limit`, 0 or more."""
        ...

    def pop(self, conversation: Handle) -> Outcome:
        """Remove the latest turn and return it; None where there is none."""
        ...

    def clear(self, conversation: Handle) -> Outcome:
        """Remove all turns."""
        ...


class Catalogue(Protocol):
    """The conversations of a user, by thread."""

    def threads(self, user: str) -> Outcome:
        """Return the user's threads, sorted."""
        ...

    def delete(self, user: str, thread: str) -> Outcome:
        """Remove a conversation; refused ("unknown thread") where there is none."""
        ...


class Restart(Protocol):
    """The life of the store itself."""

    def reopen(self) -> Outcome:
        """Close the store with all its handles, and open it again on what was kept."""
        ...


class ConversationStore(Conversations, Catalogue, Restart, Protocol):
    """The whole contract."""
