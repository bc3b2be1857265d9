"""Where conversation stores legitimately differ."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """What a driver declares of its store; the defaults are those of our own.

    shared: two handles on one conversation see each other's turns.
    durable: turns outlive reopening.
    clear_deletes: clearing removes the conversation with its turns; otherwise it stays, empty.
    """

    shared: bool = True
    durable: bool = True
    clear_deletes: bool = False
