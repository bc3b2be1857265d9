"""What an outcome tells of what a chat service sent: in seconds of the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeAlias

from drivers.sessions_shown import START_S

Event: TypeAlias = Mapping[str, Any]
TIMES = ("at_s", "last_active_at_s")
AGENTS_OWN = ("refuses to begin", "first event")  # words of an agent that fails


def compared(event: Event) -> Event:
    """Return an event, or a response, without its words for people, which come with a code.

    Where those have an agent's own, which are for nobody else, they are left where they are.
    """
    words = event.get("message") if "code" in event else None
    if not isinstance(words, str) or any(own in words for own in AGENTS_OWN):
        return event
    return {name: value for name, value in event.items() if name != "message"}


def counted(kind: type, counts: object) -> dict[str, object]:
    """Return counts by the names that a class of them has."""
    return {each.name: getattr(counts, each.name) for each in fields(kind)}


def of_kinds(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the counts of kinds of which there were any."""
    return {kind: number for kind, number in counts.items() if number}


def since_start(shown: Any) -> Any:
    """Return plain data, to any depth, with its times as seconds since the start of the run."""
    if isinstance(shown, list):
        return [since_start(item) for item in shown]
    if isinstance(shown, Mapping):
        return {
            name: value - START_S if name in TIMES else since_start(value)
            for name, value in shown.items()
        }
    return shown
