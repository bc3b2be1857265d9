"""Operations that overlapped as lanes in SVG, time to the right: where each ran and waited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..leaks.report import escape
from .sequence import CHAR, LEFT, LINE, PAD, WIDE, Drawing, Play, Room, wrapped

TICK_MAX = 32  # pixels of a tick, where there is room
GRID_LEAST = 8  # pixels of a tick, from which on each has a line
HIGH = 12  # of a lane, in pixels
KINDS = {"#": "runs", ".": "waits"}
SIGNS = {"#": "runs", ".": "waits", "x": "gets no answer"}


def lanes_svg(play: Play, room: Room = WIDE) -> str:
    """Return the lanes of a failure, as `played` gives it, as SVG; "" where it has none."""
    lanes: Sequence[Play] = play.get("lanes") or []
    if not lanes:
        return ""
    draw = Drawing(room, {})
    for _, _, line in wrapped(play.get("order", ""), int((room.width - 12) / CHAR)):
        draw.y += LINE
        draw.text(4, line)
    _signs(draw, {sign for lane in lanes for sign, _, _ in lane["spans"]})
    ticks = max([1, *(end for lane in lanes for _, _, end in lane["spans"])])
    left = room.lanes + 8 if room.beside else LEFT
    wide = min(TICK_MAX, (room.width - left - 4) / ticks)
    failing = (play["steps"] or [{"number": 0}])[-1]["number"]
    top = draw.y
    for lane in lanes:
        _lane(draw, lane, left, wide, is_bad=lane["number"] == failing)
    places = range(ticks + 1) if wide >= GRID_LEAST else (0, ticks)
    grid = "".join(f"M{left + n * wide:.1f},{top:.0f}V{draw.y:.0f}" for n in places)
    calls = ", ".join(f"{lane['number']} {lane['call']}" for lane in lanes)
    return (
        f'<svg class="lanes" role="img" aria-label="{escape(f"Operations at once: {calls}")}" '
        f'width="{room.width}" height="{draw.y + 6:.0f}" '
        f'viewBox="0 0 {room.width} {draw.y + 6:.0f}">'
        f'<path class="lane" d="{grid}"/>{"".join(draw.parts)}</svg>'
    )


def _signs(draw: Drawing, signs: set[str]) -> None:
    """Write what the signs mean that are drawn, one of each before its words."""
    draw.y += LINE + 4
    draw.text(4, "at once, time to the right:", "soft")
    x = 4.0
    if draw.room.beside:
        x += 28 * CHAR
    else:
        draw.y += LINE + 2
    for sign, words in SIGNS.items():
        if sign in signs:
            _span(draw, sign, x, x + 16, "")
            draw.text(x + 22, words, "soft")
            x += 22 + (len(words) + 2) * CHAR
    draw.y += PAD


def _lane(draw: Drawing, lane: Play, left: float, wide: float, *, is_bad: bool) -> None:
    """Draw one operation: its call and its timing, and its bar beside them, or below."""
    top, bad = draw.y, "bad strong" if is_bad else ""
    room = (draw.room.lanes if draw.room.beside else draw.room.width) - LEFT - 4
    draw.y += LINE
    draw.text(4, str(lane["number"]), "number")
    texts: Mapping[str, Any] = {f"call {bad}": lane["call"], "soft": lane["timing"]}
    for kind, text in texts.items():
        for _, _, line in wrapped(text, int(room / CHAR)) if text else ():
            draw.text(LEFT, line, kind)
            draw.y += LINE
    bottom = draw.y - LINE
    if draw.room.beside:
        draw.y = top + LINE
    for sign, begin, end in lane["spans"]:
        _span(draw, sign, left + begin * wide, left + end * wide, "bad" if is_bad else "")
    draw.y = max(bottom, draw.y) + PAD


def _span(draw: Drawing, sign: str, begin: float, end: float, bad: str) -> None:
    """Draw a part of a lane on the line at y: a bar, an empty one, or a cross."""
    top = draw.y - HIGH + 2
    if sign not in KINDS:
        middle = (begin + end) / 2
        draw.path(f"M{middle - 5:.1f},{top + 1:.0f}l10,10m0,-10l-10,10", "cut")
        return
    draw.parts.append(
        f'<rect class="{KINDS[sign]} {bad}" x="{begin:.1f}" y="{top:.0f}" '
        f'width="{max(1.0, end - begin):.1f}" height="{HIGH}"/>'
    )
