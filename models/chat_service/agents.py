"""How the agent of one message behaves, in words."""

from __future__ import annotations

WELL, SLOW = "well", "slow"
REFUSES, RAISES_EARLY, RAISES_LATE = "refuses", "raises early", "raises late"
NEVER_ENDS = "never ends"
UNAVAILABLE_TWICE, UNAVAILABLE = "unavailable twice", "unavailable"
HELD = "held"
PUNCTUAL, LOST, SILENT = "punctual", "lost", "silent"

AGENTS = (
    WELL,
    SLOW,
    REFUSES,
    RAISES_EARLY,
    RAISES_LATE,
    NEVER_ENDS,
    UNAVAILABLE_TWICE,
    UNAVAILABLE,
    HELD,
    PUNCTUAL,
    LOST,
    SILENT,
)
"""Answers at once; SLOW_S before its first event, and again before its reply; its run raises at
once; its iterator raises before its first event; after its first; waits for ever after its first;
is unavailable at its first two tries; at every try; waits after its first event until an operation
lets it go on; answers PUNCTUAL_S after it was asked, by a clock that was set before its own limit,
and at once after a start; is unavailable after its first event, too late to be tried again;
ends after its first event, without a reply."""

SLOW_S, PUNCTUAL_S = 3, 6
NAME = "rule_based"
