"""An analysis as JSON, in the report schema of mutation testing that the tools of Stryker read."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from typing import Any

from ..history import count
from .analysis import Analysis
from .verdict import DETECTED, SURVIVED, Result

VERSION = "2"
HIGH, LOW = 80, 60  # per cent: from where a page that shows the file is green, or no longer red


def as_json(analysis: Analysis, version: str) -> dict[str, Any]:
    """Return the document, with the sources as they are; the same analysis gives the same one."""
    files: dict[str, list[Result]] = {}
    for each in analysis.results:
        files.setdefault(each.mutant.source.shown, []).append(each)
    return {
        "schemaVersion": VERSION,
        "thresholds": {"high": HIGH, "low": LOW},
        "framework": {"name": "threadline", "version": version},
        "config": {
            "driver": analysis.plan.driver,
            "scenarios": list(analysis.plan.scenarios),
            "seed": analysis.plan.seed,
            "runs": analysis.plan.runs,
            "steps": analysis.plan.steps,
        },
        "files": {file: _file(own) for file, own in files.items()},
    }


def _file(results: Sequence[Result]) -> dict[str, Any]:
    text = results[0].mutant.source.text
    starts = [0, *(at + 1 for at, each in enumerate(text) if each == "\n")]
    return {
        "language": "python",
        "source": text,
        "mutants": [_mutant(each, starts) for each in results],
    }


def _mutant(result: Result, starts: Sequence[int]) -> dict[str, Any]:
    edit = result.mutant.edit
    made: dict[str, Any] = {
        "id": str(result.mutant.number),
        "mutatorName": edit.kind,
        "location": {"start": _place(edit.start, starts), "end": _place(edit.end, starts)},
        "status": result.status,
        "replacement": edit.new,
        "description": f"in {edit.function}",
    }
    if why := _reason(result):
        made["statusReason"] = why
    return made


def _place(at: int, starts: Sequence[int]) -> dict[str, int]:
    """Return a character's line and column, both from 1."""
    line = bisect.bisect_right(starts, at)
    return {"line": line, "column": at - starts[line - 1] + 1}


def _reason(result: Result) -> str:
    verdict = result.verdict
    if result.status in DETECTED:
        return f"{verdict.signature} in {verdict.scenario}, {count(verdict.runs, 'run')}"
    if result.status == SURVIVED:
        named = ", ".join(f"{name} after {count(n, 'step')}" for name, n in result.reached)
        return f"{count(verdict.runs, 'run')}; reached by {named}"
    return result.reason
