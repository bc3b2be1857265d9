"""A failure as a sequence diagram in SVG: a lane for each user and connection, one for the system.

Time goes downwards. What the model expects stands beside what the system did, or below each other
where there is little room.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from typing import Any

from ..leaks.report import escape

LINE, CHAR = 17, 7.25  # a line of text and a character of it, in pixels
PAD = 12  # around what belongs to one step
LEFT = 44  # for numbers of steps, left of all lanes
LANES_MAX = 6  # that have a line of their own
LANE_WIDE = 78  # where there is room
OTHERS = "others"
HEAD = 28
WAIT_MIN, WAIT_MAX = 16, 110  # pixels of a wait; the longest has most, the others are to its scale
ENVIRONMENT = "environment"
SYSTEM = "system"

Play = Mapping[str, Any]
Span = tuple[int, int]
WORDS = re.compile(r"\w+|\s+|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Room:
    """How much room there is: pixels of all, and of the lanes; `beside` each other stand sides."""

    width: int
    lanes: int
    beside: bool


WIDE, NARROW = Room(1120, 400, True), Room(330, 330, False)


@dataclass(slots=True)
class Drawing:
    """What is drawn so far, down to `y`; `x` has the place of each lane."""

    room: Room
    x: Mapping[str, float]
    y: float = 0.0
    parts: list[str] = field(default_factory=list)
    heights: dict[int, float] = field(default_factory=dict)

    def at(self, lane: str) -> float:
        return self.x.get(lane, self.x.get(OTHERS, LEFT))

    def text(self, x: float, text: str, kind: str = "", anchor: str = "start") -> None:
        """Write one line at y."""
        self.parts.append(
            f'<text x="{x:.0f}" y="{self.y:.0f}" class="{kind}" text-anchor="{anchor}">'
            f"{escape(text)}</text>"
        )

    def path(self, way: str, kind: str) -> None:
        self.parts.append(f'<path class="{kind}" d="{way}"/>')

    def arrow(self, start: float, end: float, kind: str) -> None:
        """Draw an arrow at y."""
        back = 7 if end > start else -7
        self.path(f"M{start:.0f},{self.y:.0f}H{end:.0f}", f"arrow {kind}")
        tip = f"M{end:.0f},{self.y:.0f}l{-back},-4v8z"
        self.path(tip, f"tip {kind}")


def sequence_svg(play: Play, room: Room = WIDE) -> str:
    """Return a failure, as `played` gives it, as SVG; "" where it has no steps."""
    steps: Sequence[Play] = play.get("steps") or []
    if not steps:
        return ""
    lanes = _lanes(steps)
    if room.beside:
        room = replace(room, lanes=max(room.lanes, LANE_WIDE * len(lanes) + 120))
    draw = Drawing(room, _places([*lanes], room))
    _heads(draw, lanes)
    longest_s = max(float(step["wait_s"]) for step in steps)
    passed_s = 0.0
    for place, step in enumerate(steps):
        if place and step["number"] > steps[place - 1]["number"] + 1 and play.get("left_out"):
            _gap(draw, int(play["left_out"]))
        is_last = step is steps[-1] and not play["chain"]  # a leak is no single step's
        if step["wait_s"]:
            passed_s += step["wait_s"]
            _wait(draw, step, longest_s, passed_s)
        else:
            _call(draw, step, is_last=is_last)
    if not steps[-1]["differs"]:
        _after(draw, play)
    _faults(draw, steps)
    return _whole(draw, play)


def _whole(draw: Drawing, play: Play) -> str:
    """Put the lines of the lanes behind what is drawn, and all of it into one picture."""
    lines = "".join(
        f'<path class="{"lane sut" if lane == SYSTEM else "lane"}" '
        f'd="M{x:.0f},{HEAD}V{draw.y:.0f}"/>'
        for lane, x in draw.x.items()
    )
    label = escape(f"Sequence diagram of {play['signature']}: {len(play['steps'])} steps")
    return (
        f'<svg class="sequence" role="img" aria-label="{label}" width="{draw.room.width}" '
        f'height="{draw.y + 6:.0f}" viewBox="0 0 {draw.room.width} {draw.y + 6:.0f}">'
        f"{lines}{''.join(draw.parts)}</svg>"
    )


def _lanes(steps: Sequence[Play]) -> dict[str, str]:
    """Return the lanes in the order in which they act first, each with whose it is."""
    owners: dict[str, str] = {}
    for step in steps:
        if not (step["wait_s"] and step["actor"] == ENVIRONMENT) and step["actor"] != SYSTEM:
            owners[step["actor"]] = owners.get(step["actor"]) or step["owner"]
        for told in step["told"]:
            owners.setdefault(told["to"], "")
    names = [*owners]
    kept = names if len(names) <= LANES_MAX else [*names[: LANES_MAX - 1], OTHERS]
    return {name: owners.get(name, "") for name in kept}


def _places(lanes: Sequence[str], room: Room) -> dict[str, float]:
    begin, end = LEFT + 40, room.lanes - 40
    gap = (end - begin) / max(1, len(lanes))
    return {**{lane: begin + n * gap for n, lane in enumerate(lanes)}, SYSTEM: float(end)}


def _heads(draw: Drawing, lanes: Mapping[str, str]) -> None:
    wide = max(30.0, (draw.room.lanes - 80 - LEFT) / max(1, len(lanes)) - 8)
    draw.y = 18
    for lane, x in draw.x.items():
        owner = lanes.get(lane, "")
        name = f"{lane} ({owner})" if owner else lane
        half = 32.0 if lane == SYSTEM else min(38.0, wide / 2)
        long = int(half * 2 / CHAR)
        short = name if len(name) <= long else lane if len(lane) <= long else f"{lane[: long - 1]}…"
        kind = "head sut" if lane == SYSTEM else "head"
        draw.parts.append(
            f'<g><title>{escape(name)}</title><rect class="{kind}" x="{x - half - 1:.0f}" y="2" '
            f'width="{half * 2 + 2:.0f}" height="24" rx="5"/>'
        )
        draw.text(x, short, "name", "middle")
        draw.parts.append("</g>")
    if draw.room.beside:
        model, system = _columns(draw.room)
        draw.text(model, "model: what is right", "title")
        draw.text(system, "system: what it did", "title")
    draw.y = HEAD + PAD


def _columns(room: Room) -> tuple[float, float]:
    """Return where the sides of the model and of the system begin."""
    if not room.beside:
        return LEFT + 58, LEFT + 58
    return room.lanes + 8, room.lanes + 8 + (room.width - room.lanes) / 2


def _gap(draw: Drawing, left_out: int) -> None:
    draw.y += LINE
    draw.text(LEFT, f"... {left_out:,} steps are left out ...", "soft")
    draw.y += PAD


def _wait(draw: Drawing, step: Play, longest_s: float, passed_s: float) -> None:
    """Draw time that passes as a band, as high as it is long."""
    high = max(WAIT_MIN, WAIT_MAX * step["wait_s"] / longest_s)
    top = draw.y + 2
    draw.parts.append(
        f'<rect class="wait" x="{LEFT}" y="{top:.0f}" width="{draw.room.lanes - LEFT - 4}" '
        f'height="{high:.0f}"/>'
    )
    draw.path(f"M{LEFT - 4},{top:.0f}h-8m4,0v{high:.0f}m-4,0h8", "scale")
    draw.y = top + high / 2 + 4
    draw.text(4, str(step["number"]), "number")
    draw.text(LEFT + 6, f"{_seconds(step['wait_s'])} pass, {_seconds(passed_s)} in all", "soft")
    after = top + high + PAD
    draw.y = top + LINE - 4
    if step["differs"] or draw.room.beside:
        _sides(draw, step)
    draw.y = max(after, draw.y + PAD)
    draw.heights[step["number"]] = top


def _call(draw: Drawing, step: Play, *, is_last: bool) -> None:
    """Draw a call as an arrow from who makes it to the system, and what came of it."""
    top, bad = draw.y, "bad" if is_last else ""
    if is_last:
        draw.y += LINE
        draw.text(LEFT, "the step that fails", "bad strong")
    draw.y += LINE
    draw.text(4, str(step["number"]), "number")
    fault = "fault: " if step["is_fault"] else ""
    for line in wrapped(f"{fault}{step['call']}", int((draw.room.lanes - LEFT - 4) / CHAR)):
        draw.text(LEFT, line[2], f"call {bad}")
        draw.y += LINE
    draw.y -= LINE - 10
    draw.heights[step["number"]] = draw.y
    start = draw.at(step["actor"]) if step["actor"] != SYSTEM else draw.x[SYSTEM] - 40
    draw.arrow(start, draw.x[SYSTEM], "fault" if step["is_fault"] else bad)
    for told in step["told"]:
        _told(draw, told)
    below = draw.y + PAD
    if draw.room.beside:
        draw.y = top + LINE
    else:
        draw.y += LINE + 4
    _sides(draw, step)
    draw.y = max(below, draw.y + PAD)


def _told(draw: Drawing, told: Play) -> None:
    """Draw what somebody is told as a dashed arrow from the system."""
    words = ", ".join(told["actual"]) or "nothing"
    wanted = f"; the model: {', '.join(told['expected']) or 'nothing'}" if told["differs"] else ""
    sign = "≠ " if told["differs"] else ""
    wide = int((draw.room.lanes - LEFT - 4) / CHAR)
    for line in wrapped(f"{sign}{told['to']} is told {words}{wanted}", wide)[:4]:
        draw.y += LINE
        draw.text(LEFT, line[2], "bad" if told["differs"] else "soft")
    draw.y += 8
    draw.arrow(draw.x[SYSTEM], draw.at(told["to"]), "told")


def _sides(draw: Drawing, step: Play) -> None:
    """Write what the model expects and what the system did; what differs is marked."""
    _both(draw, step["expected"], step["actual"], differs=step["differs"])


def _after(draw: Drawing, play: Play) -> None:
    """Write what was compared after the last step: what is held, an invariant, a leak."""
    draw.y += LINE
    way = f" {play['way']}" if play["way"] and play["way"] not in play["of"] else ""
    after = "after each teardown" if play["chain"] else f"after it: {play['of']}{way}"
    draw.text(LEFT, after[:40], "bad strong")
    if not draw.room.beside:
        draw.y += LINE
    _both(draw, play["expected"], play["actual"], differs=True, marks=not play["chain"])
    draw.y += PAD


def _both(draw: Drawing, expected: str, actual: str, *, differs: bool, marks: bool = True) -> None:
    model, system = _columns(draw.room)
    spans = differences(expected, actual) if differs and marks else ([], [])
    top = bottom = draw.y
    room = draw.room
    wide = int(
        ((room.width - room.lanes) / 2 - 30 if room.beside else room.width - model - 8) / CHAR
    )
    for number, (x, text, places, name) in enumerate(
        ((model, expected, spans[0], "model"), (system, actual, spans[1], "system"))
    ):
        if number and not differs and not room.beside:
            continue  # it says the same
        if number and room.beside:
            draw.y = top
            draw.text(x - 18, "≠" if differs else "=", "bad strong" if differs else "soft")
        elif not room.beside:
            draw.text(LEFT, name if differs else "both", "soft")
            if number:
                draw.text(LEFT - 14, "≠", "bad strong")
        for start, end, _ in wrapped(text, wide):
            _marked(draw, x, text, (start, end), places, "side" if differs else "side soft")
            draw.y += LINE
        bottom = max(bottom, draw.y)
    draw.y = bottom - LINE if room.beside else draw.y - LINE


def _marked(
    draw: Drawing, x: float, text: str, line: Span, marks: Sequence[Span], kind: str
) -> None:
    """Write a part of a text as one line, in which what lies in `marks` is marked."""
    place, end = line
    inside = ""
    for begin, over in marks:
        one, other = max(begin, place), min(over, end)
        if one < other:
            marked = f'<tspan class="mark">{escape(text[one:other])}</tspan>'
            inside += f"{escape(text[place:one])}{marked}"
            place = other
    inside += escape(text[place:end])
    draw.parts.append(f'<text x="{x:.0f}" y="{draw.y:.0f}" class="{kind}">{inside}</text>')


def _faults(draw: Drawing, steps: Sequence[Play]) -> None:
    """Draw each fault as a zigzag along its lane, from the step that begins it to its end."""
    for step in steps:
        begin = draw.heights.get(step["number"])
        if not step["is_fault"] or begin is None:
            continue
        end = draw.heights.get(step["until"], draw.y - 4)
        x = draw.at(step["actor"])
        teeth = "".join(f"l{4 if n % 2 else -4},6" for n in range(int((end - begin) / 6)))
        draw.parts.insert(0, f'<path class="fault line" d="M{x:.0f},{begin:.0f}{teeth}"/>')


def differences(one: str, other: str) -> tuple[list[Span], list[Span]]:
    """Return where two texts differ, in each of them, word by word."""
    words = [WORDS.findall(text) for text in (one, other)]
    marks: tuple[list[Span], list[Span]] = ([], [])
    for tag, *ends in SequenceMatcher(None, words[0], words[1], autojunk=False).get_opcodes():
        for side, (begin, end) in enumerate((ends[:2], ends[2:])):
            if tag != "equal" and end > begin:
                start = sum(map(len, words[side][:begin]))
                marks[side].append((start, start + sum(map(len, words[side][begin:end]))))
    return marks


def wrapped(text: str, wide: int) -> list[tuple[int, int, str]]:
    """Return the lines of a text: where each begins and ends in it, and its characters."""
    lines, start, wide = [], 0, max(8, wide)
    while len(text) - start > wide:
        space = text.rfind(" ", start + wide // 2, start + wide + 1)
        end = space + 1 if space > 0 else start + wide
        lines.append((start, end, text[start:end]))
        start = end
    return [*lines, (start, len(text), text[start:])]


def _seconds(seconds: float) -> str:
    return f"{seconds:,.0f} s" if seconds == int(seconds) else f"{seconds:,.3f} s"
