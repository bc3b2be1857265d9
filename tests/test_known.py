"""Tests of known failures: what a project writes of them, and what is tolerated."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
from threadline.failure import Divergence, Property
from threadline.handle import Handle
from threadline.known import BadKnown, Known, covering, known_file, read_known
from threadline.lockstep.lockstep import Lockstep
from threadline.outcome import Ok

from tests.toys.scripted import Script, ScriptDriver

C1 = Handle("c", 1)
TIMERS = "memory-wait.timers"
WHOLE = """
[[known]]
signature = "memory-wait.timers"
driver = "drivers.cache:Cache"
reason = "expired timers are kept; harmless"
link = "https://example.org/7"
until = 2027-03-01
trace = "known/timers.jsonl"
tolerate = true
"""


def written(folder: Path, text: str) -> Path:
    (folder / "known").mkdir()
    (folder / "known" / "timers.jsonl").write_text("")
    path = folder / "known.toml"
    path.write_text(text, "utf-8")
    return path


def test_reads_what_a_project_knows(tmp_path: Path) -> None:
    """Each entry has its signature and its reason, and what else is said of it."""
    assert read_known(written(tmp_path, WHOLE)) == (
        Known(
            TIMERS,
            "expired timers are kept; harmless",
            "drivers.cache:Cache",
            "https://example.org/7",
            date(2027, 3, 1),
            str(tmp_path / "known/timers.jsonl"),
            tolerate=True,
        ),
    )


def test_knows_nothing_without_a_file(tmp_path: Path) -> None:
    """A project without known failures has no such file."""
    assert read_known(tmp_path / "known.toml") == ()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("known = 3", "has known; write each known failure under"),
        ("[other]", "has other; write each"),
        ("[[known]]\nreason = 'x'", "entry 1 has no signature; write signature = a text"),
        ("[[known]]\nsignature = 'a-b'", "entry 1 has no reason"),
        ("[[known]]\nsignature = 3", "entry 1: signature is 3; write a text"),
        ("[[known]]\nuntil = '2027-03-01'", "until is '2027-03-01'; write a date without quotes"),
        ("[[known]]\nsince = 3", "entry 1 has 'since'; it can have signature"),
        ("[[known]]\nsignature='a-b'\nreason='x'\ntrace='gone'", "there is no file gone beside"),
        ("known", "cannot be read"),
    ],
)
def test_says_what_is_wrong_with_the_file(tmp_path: Path, text: str, complaint: str) -> None:
    """The entry, what it has, and what to write instead."""
    with pytest.raises(BadKnown, match=complaint):
        read_known(written(tmp_path, text))


def test_writes_an_entry_that_it_reads_again(tmp_path: Path) -> None:
    """What a reason says cannot break the file."""
    entry = Known(TIMERS, 'a "quoted"\nreason \\ é', until=date(2027, 1, 1))

    assert read_known(written(tmp_path, entry.entry())) == (entry,)


def test_finds_the_file_beside_the_project(tmp_path: Path) -> None:
    """It is looked for where pyproject.toml is, from any folder below."""
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "deep").mkdir()

    assert known_file(tmp_path / "deep") == tmp_path / "known.toml"


@pytest.mark.parametrize(
    ("signature", "driver", "is_known"),
    [
        (TIMERS, "mine:Cache", True),
        ("memory-wait.values", "mine:Cache", False),
        ("memory-waits.timers", "mine:Cache", False),
        (TIMERS, "mine:Other", False),
    ],
)
def test_covers_what_it_names(signature: str, driver: str, *, is_known: bool) -> None:
    """An entry is about one failure of one driver."""
    entry = Known(TIMERS, "harmless", "mine:Cache")

    assert (covering([entry], signature, driver) is entry) == is_known


def test_an_entry_without_a_place_covers_all_places() -> None:
    """Property and operation alone stand for every field, part and error."""
    assert Known("memory-wait", "harmless").covers(TIMERS, "mine:Cache")


@pytest.mark.parametrize(("day", "is_over"), [(28, False), (29, True), (30, True)])
def test_ends_on_its_day(day: int, *, is_over: bool) -> None:
    """From the day that it names on it is a failure as any other."""
    entry = Known(TIMERS, "harmless", until=date(2027, 1, 29))

    assert entry.has_expired(date(2027, 1, day)) == is_over


def tolerating(signature: str, expected: Sequence[object], actual: Sequence[object]) -> Lockstep:
    held = {"timers": 0, "turns": 1}
    driver = ScriptDriver(actual, {"timers": 2, "turns": 1})
    return Lockstep(Script(expected, held), driver, tolerates=[signature], invariants=())


def test_goes_on_behind_a_part_that_is_tolerated() -> None:
    """A part of the census that is known to differ is not compared again in the run."""
    run = tolerating("memory-call.timers", [Ok(), Ok()], [Ok(), Ok()])
    run.step(1, Script.call())
    run.step(2, Script.call())

    assert len(run.steps) == 2
    assert run.tolerated == {"memory-call.timers": 1}


def test_still_compares_the_other_parts() -> None:
    """Behind a part that is tolerated another one is found."""
    run = tolerating("memory-call.timers", [Ok(), Ok()], [Ok(), Ok()])
    run.step(1, Script.call())
    run.driver.held["turns"] = 3  # type: ignore[attr-defined]  # a ScriptDriver

    with pytest.raises(Divergence) as raised:
        run.step(2, Script.call())

    assert str(raised.value.failure.signature) == "memory-call.turns"


def test_binds_what_it_can_behind_an_answer_that_is_tolerated() -> None:
    """The ids of an answer of which one field differs can be named by later operations."""
    expected = [Ok({"id": C1, "at": 1}), Ok()]
    run = tolerating("isolation-call.at", expected, [Ok({"id": "real", "at": 2}), Ok()])
    run.driver.held = None  # type: ignore[attr-defined]  # a ScriptDriver
    run.step(1, Script.call())
    run.step(2, Script.call(C1))

    assert run.tolerated == {"isolation-call.at": 1}
    assert run.driver.given == [None, "real"]  # type: ignore[attr-defined]


def test_tolerates_an_invariant_that_is_known() -> None:
    """An invariant that is known to fail is not asserted again in the run; others are."""

    def holds_nothing(_: object, held: object) -> None:
        raise AssertionError("it does")

    run = Lockstep(
        Script([Ok(), Ok()]),
        ScriptDriver([Ok(), Ok()], {}),
        invariants=((Property.KEYS, holds_nothing),),
        tolerates=["keys-call.holds_nothing"],
    )
    run.step(1, Script.call())
    run.step(2, Script.call())

    assert run.tolerated == {"keys-call.holds_nothing": 1}
