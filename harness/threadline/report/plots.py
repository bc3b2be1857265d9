"""What is plotted of a campaign: its speed, the memory of its workers, and the nights before."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from ..printable import printable
from .record import Night, Record, Sample

LINES_MAX = 8  # in one plot
NAME_MAX = 40


def plots_of(record: Record) -> list[dict[str, Any]]:
    """Return the plots: a title, what x is, texts for x where it counts nights, and the lines."""
    plots = []
    if len(record.samples) > 1:
        plots += [_speed(record.samples), _memory(record.samples)]
    nights = [*record.trend[-30:], record.as_night()]
    if len(nights) > 1:
        days = [printable(night.began[:10]) for night in nights]
        plots += [
            _trend(nights, days, "Failures, night by night", ("new", "known", "fixed")),
            _trend(nights, days, "Steps, night by night", ("steps",)),
            _trend(nights, days, "Coverage, night by night", ("states", "lines")),
        ]
    return [plot for plot in plots if plot["lines"]]


def _plot(title: str, unit: str, x: Sequence[float], lines: list[tuple[str, list[Any]]]) -> Any:
    return {
        "title": title,
        "unit": unit,
        "x": x,
        "days": [],
        "lines": [{"name": printable(name[:NAME_MAX]), "y": y} for name, y in lines],
    }


def _speed(samples: Sequence[Sample]) -> Any:
    steps = [
        round((later.steps - one.steps) / max(0.001, later.at_s - one.at_s))
        for one, later in pairwise(samples)
    ]
    x = [sample.at_s for sample in samples[1:]]
    return _plot("Steps per second", "s", x, [("steps/s", steps)])


def _memory(samples: Sequence[Sample]) -> Any:
    """Return the memory of each worker; of many, those that held the most at some time."""
    peaks: dict[str, float] = {}
    for sample in samples:
        for name, mib in sample.memory_mib.items():
            peaks[name] = max(mib, peaks.get(name, 0.0))
    most = sorted(peaks, key=lambda name: (-peaks[name], name))
    title = "Memory of each worker, MiB"
    if len(most) > LINES_MAX:
        title = f"Memory, MiB: the {LINES_MAX} of {len(most)} workers that held most"
    lines = [
        (name, [sample.memory_mib.get(name) for sample in samples]) for name in most[:LINES_MAX]
    ]
    return _plot(title, "s", [sample.at_s for sample in samples], lines)


def _trend(nights: Sequence[Night], days: list[str], title: str, names: Sequence[str]) -> Any:
    lines = [(name, [getattr(night, name) for night in nights]) for name in names]
    return {**_plot(title, "night", [*range(len(nights))], lines), "days": days}
