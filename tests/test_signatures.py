"""Tests of signatures: two bugs are two, and one bug is one, however many faces it has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from threadline.campaign.events import Found, Shorter
from threadline.report.bugs import bugs

from tests.project import flat, ran, run, stable

HEADER = '{"threadline": 1, "settings": {}, "driver": "d"}'


def failures(driver: str) -> str:
    result = run("fuzz", "--runs", "300", "--seed", "3", "--driver", f"tests.toys.clients:{driver}")
    assert result.exit_code == 1, result.output
    return flat(result.output)


def test_a_harmless_timer_hides_no_lost_value(project: Path) -> None:
    """Both show after a tick, and both are memory: the part of the census tells them apart."""
    output = failures("TimerAndValue")

    assert "memory-tick.timers" in output
    assert "memory-tick.texts" in output


def test_a_kept_client_hides_no_client_that_was_never_accepted(project: Path) -> None:
    """One is told by the census after it left, the other by the field of the answer."""
    output = failures("KeptAndRefused")

    assert "memory-leave.clients" in output
    assert "continuity-accept.accepted" in output


def shorter(signature: str, *steps: str, doubt: str = "", replays: int = 9) -> Shorter:
    numbered = [json.dumps({"step": n, "operation": each}) for n, each in enumerate(steps, 1)]
    lines = "\n".join((HEADER, *numbered))
    return Shorter(signature, "text", lines, replays, len(steps), "trace", doubt)


def test_one_bug_with_five_faces_is_one() -> None:
    """
    Minimised traces that are equal but for their last step are told as one, the shortest first.
    """
    faces = [shorter(f"memory-{kind}", "open", "append", kind) for kind in ("pops", "a", "bb")]

    (bug,) = bugs([*faces, shorter("memory-ccc", "open", "append", "c"), *faces[:1]])

    assert bug.leads.signature == "memory-a"
    assert len(bug.also) == 4


@pytest.mark.parametrize(
    "other",
    [
        shorter("memory-b", "open", "other", "b"),
        shorter("memory-b", "b"),
        shorter("memory-b", "open", "append", "b", doubt="by chance"),
        shorter("memory-b", "open", "append", "b", replays=0),
        Found("memory-b", "text", "trace", f"{HEADER}\nopen\nappend\nb", 1, 3),
    ],
)
def test_what_has_no_beginning_in_common_is_two(other: Found | Shorter) -> None:
    """Another way to fail, one of a single step, one by chance and one that was not minimised."""
    one = shorter("memory-a", "open", "append", "a")

    assert len(bugs([one, other])) == 2


OPENS_ANA: dict[str, Any] = {"operation": "open", "user": "ana", "thread": "b:t"}
OPENS_OTHER: dict[str, Any] = {"operation": "open", "user": "ana:b", "thread": "t"}


def appends(step: int) -> dict[str, Any]:
    return {"operation": "append", "conversation": {"handle": f"c_{step}"}, "text": "m"}


def minimised(signature: str, *steps: dict[str, Any]) -> Shorter:
    """Return a failure; an append says a text of its own in each step."""
    numbered = [
        {**each, "step": n} | ({"text": f"m{n}"} if "text" in each else {})
        for n, each in enumerate(steps, 1)
    ]
    lines = "\n".join((HEADER, *map(json.dumps, numbered)))
    return Shorter(signature, "text", lines, 9, len(steps), "trace")


def test_users_who_have_nothing_in_common_come_in_any_order() -> None:
    """Who of two opens first is a face of one bug, and so is the number in a text."""
    one = minimised("isolation-pop", OPENS_ANA, appends(1), OPENS_OTHER, {"operation": "pop"})
    other = minimised("memory-clear", OPENS_OTHER, OPENS_ANA, appends(2), {"operation": "clear"})

    assert len(bugs([one, other])) == 1


def test_what_is_done_to_one_thread_has_an_order() -> None:
    """To clear before and behind an append is not the same, of a handle or of a name."""
    clear = {"operation": "clear", "conversation": {"handle": "c_1"}}
    delete = {"operation": "delete", "user": "ana", "thread": "b:t"}
    for act in (clear, delete):
        one = minimised("memory-pop", OPENS_ANA, appends(1), act, {"operation": "pop"})
        other = minimised("keys-pop", OPENS_ANA, act, appends(1), {"operation": "pop"})
        assert len(bugs([one, other])) == 2


def test_who_has_appended_is_told_apart() -> None:
    """The same operations on the handle of another are another bug."""
    one = minimised("memory-pop", OPENS_ANA, OPENS_OTHER, appends(1), {"operation": "pop"})
    other = minimised("keys-pop", OPENS_ANA, OPENS_OTHER, appends(2), {"operation": "pop"})

    assert len(bugs([one, other])) == 2


def test_two_that_fail_at_once_are_two() -> None:
    """Traces of one step have nothing in common but their start."""
    assert len(bugs([shorter("memory-a", "a"), shorter("memory-b", "b")])) == 2


def printed(hash_seed: str) -> str:
    """Return what fuzz prints of a system that answers with sets, under a hash seed."""
    words = ("fuzz", "--runs", "60", "--seed", "4", "--driver", "tests.toys.clients:Forgets")
    ended = ran("threadline", *words, PYTHONHASHSEED=hash_seed)
    assert ended.returncode == 1
    return stable(ended.stdout.decode()).partition("\nscenario")[0]


def test_says_the_same_under_every_hash_seed(project: Path) -> None:
    """A set has another order in each process; what is drawn, minimised and printed has not."""
    text, *others = map(printed, ("0", "1"))

    for other in others:
        assert other == text
    assert "'beside': {'ana', '" in text
