"""Tests of signatures: two bugs are two, and one bug is one, however many faces it has."""

from __future__ import annotations

from pathlib import Path

import pytest
from threadline.campaign.events import Found, Shorter
from threadline.report.terminal import bugs

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
    lines = "\n".join((HEADER, *steps))
    return Shorter(signature, "text", lines, replays, len(steps), "trace", doubt)


def test_one_bug_with_five_faces_is_one() -> None:
    """
    Minimised traces that are equal but for their last step are told as one, the shortest first.
    """
    faces = [shorter(f"memory-{kind}", "open", "append", kind) for kind in ("pops", "a", "bb")]

    (bug,) = bugs([*faces, shorter("memory-ccc", "open", "append", "c"), *faces[:1]])

    assert bug.leads.lines.endswith("\na")
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
    text, *others = map(printed, ("0", "1", "2"))

    for other in others:
        assert other == text
    assert "'beside': {'ana', '" in text
