"""A failure as data: what a page needs to draw its steps, each value cut to what is read of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .difference import outcome_difference, trimmed, way_text
from .failure import Failure, compared_outcomes, sides
from .handle import Handle
from .history import Step, operation_text
from .lifecycle import Lifecycle
from .operation import Operation
from .outcome import Crashed, Ok, Outcome, Refused
from .overlapping import Lane, OverlapFailure
from .printable import printable
from .shown import shown

TEXT_MAX = 600  # characters of a value; one that differs was cut around the difference before
STEPS_FIRST, STEPS_LAST = 20, 60  # steps that are kept of a history that is longer than both
LANES_MAX = 12  # of operations that overlapped
SPANS_MAX, TICKS_MAX = 400, 20_000  # of one lane
TOLD_MAX = 8  # messages of one step to one receiver
SYSTEM = "system"  # the actor of what a run does by itself
ENVIRONMENT = "environment"  # the actor of what nobody in particular does
# Words in the names of operations that do something to the system, and what ends it again. A model
# does not say which of its operations are faults, so that is read in their names.
FAULTS: Mapping[str, tuple[str, ...]] = {
    "break": ("mend",),
    "crash": ("restart", "recovers"),
    "cut": ("mend",),
    "drop": (),
    "fails": ("recovers", "mend"),
    "hold": ("release",),
    "kill": ("restart",),
    "lose": (),
    "malformed": (),
    "raise": (),
    "restart": (),
    "skew": (),
    "stall": ("resume",),
    "tamper": (),
}


PLAY: Mapping[str, type] = {
    **dict.fromkeys(("signature", "property", "of", "expected", "actual", "way"), str),
    **dict.fromkeys(("settings", "policy"), dict),
    **dict.fromkeys(("chain", "steps"), list),
    "left_out": int,
}
STEP: Mapping[str, type] = {
    **dict.fromkeys(("kind", "call", "actor", "owner", "expected", "actual"), str),
    **dict.fromkeys(("differs", "is_fault"), bool),
    **dict.fromkeys(("number", "until"), int),
    "arguments": dict,
    "wait_s": float,
    "told": list,
}
LANE: Mapping[str, type] = {"number": int, "call": str, "timing": str, "spans": list}
TOLD: Mapping[str, type] = {"to": str, "expected": list, "actual": list, "differs": bool}


def played(failure: Failure) -> dict[str, Any]:
    """Return a failure as data that JSON can hold: what was compared, and each step with its actor.

    `expected`, `actual` and `way` are the disagreement as texts; `chain` is who holds what leaks,
    as pairs of a name and a type, empty for other failures; `left_out` counts steps in the middle
    of a long history. `lanes` are operations that overlapped, if any: when each ran and waited, as
    spans of a sign (that of the text) with its first tick and its end; `order` says which order of
    them comes closest.
    """
    steps = failure.steps
    is_long = len(steps) > STEPS_FIRST + STEPS_LAST
    kept = [*steps[:STEPS_FIRST], *steps[-STEPS_LAST:]] if is_long else [*steps]
    expected, actual, way = _disagreement(failure)
    return {
        "signature": str(failure.signature),
        "property": str(failure.signature.property),
        "of": _cut(failure.disagreement.of),
        "expected": expected,
        "actual": actual,
        "way": way,
        "settings": _texts(failure.settings),
        "policy": _texts(failure.policy),
        "chain": [[_cut(label), _cut(kind)] for label, kind in failure.chain()],
        "left_out": len(steps) - len(kept),
        "steps": [_step(step, steps, is_last=step is steps[-1]) for step in kept],
        **_at_once(failure),
    }


def is_played(value: object) -> bool:
    """Return whether a value of JSON has the shape of what `played` returns."""
    if not _has(value, PLAY):
        return False
    play: Any = value  # a mapping, as was looked at
    texts = [text for link in play["chain"] if isinstance(link, list) for text in link]
    told: list[Any] = [each for step in play["steps"] if _has(step, STEP) for each in step["told"]]
    words = [
        text for each in told if _has(each, TOLD) for text in each["expected"] + each["actual"]
    ]
    return (
        all(_has(step, STEP) for step in play["steps"])
        and all(_has(each, TOLD) for each in told)
        and all(isinstance(link, list) and len(link) == 2 for link in play["chain"])
        and all(isinstance(text, str) for text in texts + words)
        and all(0 <= step["wait_s"] < 1e12 for step in play["steps"])
        and len(play["steps"]) <= STEPS_FIRST + STEPS_LAST
        and type(play.get("order", "")) is str
        and _are_lanes(play.get("lanes", []))
    )


def _are_lanes(value: Any) -> bool:
    """Return whether a value of JSON is what `played` has of lanes; older records have none."""
    return (
        isinstance(value, list)
        and len(value) <= LANES_MAX
        and all(_has(lane, LANE) and all(map(_is_span, lane["spans"])) for lane in value)
    )


def _is_span(value: Any) -> bool:
    is_triple = isinstance(value, list) and len(value) == 3 and type(value[0]) is str
    if not is_triple or not all(type(each) is int for each in value[1:]):
        return False
    return bool(0 <= value[1] < value[2] <= TICKS_MAX)


def _has(value: object, shape: Mapping[str, type]) -> bool:
    return isinstance(value, dict) and all(
        type(value.get(name)) is kind or (kind is float and type(value.get(name)) is int)
        for name, kind in shape.items()
    )


def _disagreement(failure: Failure) -> tuple[str, str, str]:
    """Return what was expected, what came, and the way to what differs, as texts."""
    of, expected = failure.disagreement.of, failure.disagreement.expected
    actual: Any = failure.disagreement.actual
    if of == "outcome":
        way = outcome_difference(expected, actual) or ()
        wanted, came = compared_outcomes(expected, actual)
        return _cut(str(wanted)), _cut(str(came)), _cut(way_text(way))
    part = of.partition(" ")[2]
    if of.startswith("census") and not isinstance(actual, Crashed):
        wanted, came = sides(expected, actual)
        return _cut(f"holds {shown(wanted)}"), _cut(f"holds {shown(came)}"), part
    if of.startswith("census"):
        return _cut(f"holds {shown(trimmed(expected))}"), _cut(str(actual)), part
    if failure.chain():
        return "everything is given back", _cut(str(actual)), ""
    return "it holds", _cut(str(actual)), part


def _step(step: Step, steps: Sequence[Step], *, is_last: bool) -> dict[str, Any]:
    operation, expected, actual = step.operation, step.expected, step.actual
    differs = is_last and actual != expected
    wanted, came = (
        compared_outcomes(expected, actual) if differs else (_trimmed(expected), _trimmed(actual))
    )
    return {
        "number": step.number,
        "kind": operation.kind,
        "call": _cut(operation_text(operation)),
        "arguments": _texts(operation.arguments()),
        "actor": actor(operation),
        "owner": _owner(operation, steps),
        "expected": _cut(_without_told(wanted)),
        "actual": _cut(_without_told(came)),
        "differs": differs,
        "is_fault": _fault(operation) != "",
        "until": _until(step, steps),
        "wait_s": _wait_s(operation),
        "told": _told(wanted, came),
    }


def _at_once(failure: Failure) -> dict[str, Any]:
    """Return the lanes of operations that overlapped, and what is said of their order."""
    if not isinstance(failure, OverlapFailure) or not failure.has_overlap:
        return {"order": "", "lanes": []}
    lanes = [_lane(lane, failure.first) for lane in failure.lanes[:LANES_MAX]]
    return {"order": failure.closest(), "lanes": lanes}


def _lane(lane: Lane, first: int) -> dict[str, Any]:
    spans = [[*span] for span in lane.spans(first) if span[2] <= TICKS_MAX]
    return {
        "number": lane.number,
        "call": _cut(operation_text(lane.operation)),
        "timing": _cut(lane.timing),
        "spans": spans[:SPANS_MAX],
    }


def actor(operation: Operation) -> str:
    """Return who makes a call: its `user`, else the first handle that it is given.

    ENVIRONMENT where it is given neither; SYSTEM for what each run does by itself.
    """
    if isinstance(operation, Lifecycle):
        return SYSTEM
    given = operation.arguments()
    user = given.get("user")
    if isinstance(user, str):
        return _cut(user)
    handles = (value for value in given.values() if type(value) is Handle)
    return _cut(str(next(handles, ENVIRONMENT)))


def _owner(operation: Operation, steps: Sequence[Step]) -> str:
    """Return whose the handle is that a call is made with; "" for any other call."""
    given = operation.arguments()
    if isinstance(given.get("user"), str):
        return ""
    handle = next((value for value in given.values() if type(value) is Handle), None)
    made = next((step for step in steps if handle and step.number == handle.step), None)
    if made is None or made.operation is operation:
        return ""
    by = actor(made.operation)
    return "" if by in (ENVIRONMENT, SYSTEM) else by


def _fault(operation: Operation) -> str:
    """Return the word in an operation's name that makes it a fault, "" where there is none."""
    return next((word for word in operation.kind.split("_") if word in FAULTS), "")


def _until(step: Step, steps: Sequence[Step]) -> int:
    """Return the number of the step that ends the fault which a step begins: its own where a fault
    does not last, 0 where none does or there is no fault.
    """
    fault = _fault(step.operation)
    ends = FAULTS.get(fault, ())
    if fault and not ends:
        return step.number
    for later in steps:
        is_end = not {*later.operation.kind.split("_")}.isdisjoint(ends)
        if (
            later.number > step.number
            and is_end
            and actor(later.operation) == actor(step.operation)
        ):
            return later.number
    return 0


def _wait_s(operation: Operation) -> float:
    """Return how many seconds of virtual time an operation lets pass: its argument `seconds`."""
    seconds = operation.arguments().get("seconds")
    is_number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    return float(seconds) if is_number and 0 <= seconds < 1e12 else 0.0  # type: ignore[arg-type, operator]  # a number


def _told(expected: Outcome, actual: Outcome) -> list[dict[str, Any]]:
    """Return what each receiver was to be told and was told, in the order of their names."""
    wanted, came = _heard(expected), _heard(actual)
    return [
        {
            "to": to,
            "expected": wanted.get(to, []),
            "actual": came.get(to, []),
            "differs": wanted.get(to, []) != came.get(to, []),
        }
        for to in sorted({*wanted, *came})
    ]


def _heard(outcome: Outcome) -> dict[str, list[str]]:
    told = outcome.told if isinstance(outcome, (Ok, Refused)) else None
    found: dict[str, list[str]] = {}
    for to, what in (told or {}).items():
        items = what if isinstance(what, (list, tuple)) else [what]  # one that was pruned
        texts = [_cut(shown(trimmed(each))) for each in items[:TOLD_MAX]]
        found[_cut(str(to))] = [*texts, "..."] if len(items) > TOLD_MAX else texts
    return found


def _trimmed(outcome: Outcome) -> Outcome:
    return replace(outcome, value=trimmed(outcome.value)) if isinstance(outcome, Ok) else outcome


def _without_told(outcome: Outcome) -> str:
    if isinstance(outcome, (Ok, Refused)):
        return str(replace(outcome, told=None))
    return str(outcome)


def _texts(values: Mapping[str, object]) -> dict[str, str]:
    return {_cut(name): _cut(shown(trimmed(value))) for name, value in values.items()}


def _cut(text: str) -> str:
    """Return a text that is printable and not too long."""
    plain = printable(text[: TEXT_MAX + 1])
    return plain if len(plain) <= TEXT_MAX else f"{plain[:TEXT_MAX]}..."
