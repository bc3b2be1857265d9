"""The rules by which a text is judged."""

from __future__ import annotations

import json
from collections.abc import Sequence

LENGTH_MIN = 10
STRICT_LENGTH_MIN = 40
# Anybody may say these, but no answer that is done does.
PLACEHOLDERS = ("todo", "lorem ipsum")
SCORE_MAX = 100
POINTS_PER_ISSUE = 30
VALID_SCORE_MIN = 50


def issues_of(content: str, content_type: str = "text", *, strict: bool = False) -> list[str]:
    """Name what is wrong with a text: too_short, shouting, placeholder, not_json, in this order."""
    found = {
        "too_short": len(content.strip()) < (STRICT_LENGTH_MIN if strict else LENGTH_MIN),
        "shouting": content == content.upper() != content.lower(),
        "placeholder": any(word in content.lower() for word in PLACEHOLDERS),
        "not_json": content_type == "json" and not _is_json(content),
    }
    return [issue for issue, applies in found.items() if applies]


def score_of(issues: Sequence[str]) -> int:
    """Return 100 less 30 for each issue, and never less than 0."""
    return max(0, SCORE_MAX - POINTS_PER_ISSUE * len(issues))


def is_valid(issues: Sequence[str], *, strict: bool) -> bool:
    """Say whether a text will do: strictly with no issue at all, else with a score of 50."""
    return not issues if strict else score_of(issues) >= VALID_SCORE_MIN


def score_of_answer(text: str) -> int:
    """Score an agent's answer as plain text, not strictly."""
    return score_of(issues_of(text))


def average(scores: Sequence[int]) -> int | None:
    """Return the mean, rounded down; None without scores."""
    return sum(scores) // len(scores) if scores else None


def _is_json(content: str) -> bool:
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True
