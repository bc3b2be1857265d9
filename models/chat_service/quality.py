"""How good a content is, by plain rules."""

from __future__ import annotations

import json
from typing import NamedTuple

LENGTH_MIN, STRICT_LENGTH_MIN = 10, 40
PLACEHOLDERS = ("todo", "lorem ipsum")
SCORE_MAX, COST_OF_AN_ISSUE, SCORE_MIN = 100, 30, 50


class Judgement(NamedTuple):
    """What is wrong with a content, and whether it will do."""

    issues: list[str]
    score: int
    is_valid: bool


def judge(content: str, content_type: str = "text", *, strict: bool = False) -> Judgement:
    """Judge a content: strict asks for more length, and for no issue at all."""
    found = {
        "too_short": len(content.strip()) < (STRICT_LENGTH_MIN if strict else LENGTH_MIN),
        "shouting": content == content.upper() != content.lower(),
        "placeholder": any(words in content.lower() for words in PLACEHOLDERS),
        "not_json": content_type == "json" and not _is_json(content),
    }
    issues = [issue for issue, applies in found.items() if applies]
    score = max(0, SCORE_MAX - COST_OF_AN_ISSUE * len(issues))
    return Judgement(issues, score, not issues if strict else score >= SCORE_MIN)


def average(scores: list[int]) -> int | None:
    return sum(scores) // len(scores) if scores else None


def _is_json(content: str) -> bool:
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True
