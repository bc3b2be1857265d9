"""Whatever a system does to its process, it is told with a trace, and the campaign goes on."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

import pytest
from rich.console import Console
from threadline.campaign.campaign import WorkerFailed, campaign
from threadline.campaign.events import Ended, Event, Found, Shorter
from threadline.campaign.job import Job
from threadline.loading import load_target
from threadline.report.terminal import Terminal
from threadline.trace import is_signature_of, read

from tests.project import flat
from tests.toys.misbehaving import Cell

RUNS = 3
SEED = 62  # under which the first run alone is in a bad mood
E = TypeVar("E", Found, Shorter, Ended)
GUARD_S = 600.0  # for what does not hang, on however slow a machine
HANG_S = 3.0  # for what does
STEP, START, CLOSE = "liveness-get", "liveness-start", "liveness-close"
OUTCOME = "continuity-get"


def slow(*values: str) -> Any:
    return pytest.param(*values, marks=pytest.mark.slow)


# What is raised in a step, and how it is told.
RAISED = [
    ("RaisesValueError", "crashed (ValueError: no), raised in misbehaving.py"),
    ("RaisesMemoryError", "crashed (MemoryError)"),
    ("RaisesSystemExit", "crashed (SystemExit: 0)"),
    ("RaisesKeyboardInterrupt", "crashed (KeyboardInterrupt)"),
    slow("RaisesGeneratorExit", "crashed (GeneratorExit)"),
    slow("RaisesStopIteration", "crashed (StopIteration)"),
    slow("RaisesCancelled", "crashed (CancelledError)"),
    slow("RaisesAssumption", "crashed (UnsatisfiedAssumption)"),
    slow("RaisesStopTest", "crashed (StopTest: 0)"),
    slow("RaisesFlaky", "crashed (Flaky: not the same)"),
    slow("RaisesOwnBase", "crashed (OwnBase: mine)"),
    ("RaisesMute", "crashed (Mute: its text cannot be told: that raised OwnBase)"),
    slow("RaisesMuch", "xxx ... (200,000,000 characters)"),
    ("Recurses", "crashed (RecursionError: maximum recursion depth exceeded"),
    slow("AsyncKeyboardInterrupt", "crashed (KeyboardInterrupt)"),
    slow("AsyncGeneratorExit", "crashed (GeneratorExit)"),
    ("RaisesInCensus", "crashed (OwnBase), raised in misbehaving.py"),
    ("ExceedsItsMemory", "crashed (MemoryError)"),
]
# What ends the process in a step.
ENDS = [
    ("ExitsWith0", "the process ended: exit status 0"),
    slow("ExitsWith70", "the process ended: exit status 70"),
    slow("Terminates", "the process ended: signal SIGTERM"),
    ("Segfaults", "the process ended: signal SIGSEGV"),
    slow("ExitsOnAThread", "the process ended: exit status 0"),
    slow("ExitsWith1", "the process ended: exit status 1"),
    slow("ExitsWith71", "the process ended: exit status 71"),
    slow("Aborts", "the process ended: signal SIGABRT"),
    slow("Kills", "the process ended: signal SIGKILL"),
    slow("BecomesAnother", "the process ended: exit status 0"),
]
# What does not come back.
HANGS = [
    slow("HangsOnALock", STEP),  # the same as tests.toys.stores:hangs of test_campaign.py
    slow("HangsInCensus", STEP),
    ("HangsWhenClosed", CLOSE),
    slow("HangsWhenMade", START),
    slow("HangsInSleep", STEP),
    slow("HangsInALoop", STEP),
]
# What is returned, or held.
VALUES = [
    ("ReturnsExplosive", OUTCOME, "crashed (OwnBase: do not touch)"),
    slow(
        "ReturnsExplosiveNumber", OUTCOME, "a value that is not printed: crashed (OwnBase: do not"
    ),
    slow("ReturnsExplosiveKey", OUTCOME, "a value that is not printed: crashed (OwnBase: do not"),
    slow("ReturnsUndying", OUTCOME, "<a Undying never returned before>"),
    ("ReturnsNested", OUTCOME, "a value that is not printed: crashed (RecursionError"),
    slow("ReturnsNestedMapping", OUTCOME, "a value that is not printed: crashed (RecursionError"),
    slow("ReturnsMuch", OUTCOME, "xxx' ... (length 200,000,000)"),
    slow("ReturnsMuchOfBytes", OUTCOME, "x00' ... (length 200,000,000)"),
    ("HoldsExplosive", OUTCOME, "crashed (OwnBase: do not"),
    slow("HoldsNested", OUTCOME, "crashed (RecursionError"),
]
# What is done to the process, before a wrong answer.
WRONG = [
    slow("ClosesLowDescriptors"),
    slow("ForksAChild"),
    "ForksAndComesBack",
    slow("StartsAThread"),
    slow("ChangesTheFolder"),
    slow("IgnoresSignals"),
    "LowersRecursion",
    slow("RaisesRecursionLimit"),
    slow("Floods"),
    slow("ClosesStandardStreams"),
    "WritesToAllDescriptors",
]
# What goes wrong beside the steps.
BESIDE = [
    ("RaisesWhenClosed", CLOSE, "crashed (OSError: cannot be closed)"),
    slow("ExitsWhenClosed", CLOSE, "the process ended: exit status 0"),
    slow("RaisesWhenMade", START, "crashed (OSError: cannot be made)"),
    ("ExitsWhenMade", START, "the process ended: exit status 3"),
    slow("RaisesInRoots", "liveness-leak_hunt", "crashed (OSError: no roots)"),
    slow("RaisesInNotes", "liveness-leak_hunt", "crashed (OSError: no notes)"),
    slow("InterruptsItself", STEP, "crashed (KeyboardInterrupt)"),
    ("ClosesAllDescriptors", STEP, "it closed a descriptor that is not its own"),
]
# What has done its damage before the first step.
NEVER_STARTS = [
    slow("RaisesWhenStarted", "crashed (OSError: cannot be started)"),
    ("ExitsWhenStarted", "the process ended: exit status 0"),
    ("HangsWhenStarted", "HangsWhenStarted was still starting after 1.5 s"),
]


def job(driver: str, **more: object) -> Job:
    values = {
        "scenario": "tests.toys.misbehaving:Cell",
        "driver": f"tests.toys.misbehaving:{driver}",
        "engine": "explore",
        "seed": SEED,
        "steps": 6,
        "runs": RUNS,
        "folder": ".",
        "hang_s": GUARD_S,
        "start_s": GUARD_S,
    }
    return Job(**{**values, **more})  # type: ignore[arg-type]  # names of Job's


def played(job: Job) -> tuple[list[Event], str]:
    """Return what a campaign tells, and prints; the command would exit with 1."""
    heard: list[Event] = []
    printed = StringIO()
    terminal = Terminal(console=Console(file=printed, width=200, highlight=False))

    def listen(event: Event) -> None:
        heard.append(event)
        terminal.hear(event)

    campaign(job, load_target(job.driver), listen)
    terminal.summary()
    assert terminal.failed
    return heard, printed.getvalue()


def only(kind: type[E], heard: Sequence[Event]) -> E:
    (found,) = [event for event in heard if isinstance(event, kind)]
    return found


def told(driver: str, signature: str, **more: object) -> str:
    """Play a driver that fails so in its first run, wherever; return the text of the failure.

    Its trace is on disk, and reads; the other runs of the campaign have been played.
    """
    heard, printed = played(job(driver, **more))

    found, shorter = only(Found, heard), only(Shorter, heard)
    assert found.signature == shorter.signature
    assert is_signature_of(signature, found.signature)
    assert (found.runs, found.trace) == (1, shorter.trace)
    assert read(Path(found.trace), Cell.kinds()).header.signature == found.signature
    ended = only(Ended, heard)
    assert (ended.runs, ended.note) == (RUNS, "")
    assert shorter.text in printed
    return flat(shorter.text)


@pytest.mark.parametrize(("driver", "words"), RAISED)
def test_whatever_is_raised_is_told(project: Path, driver: str, words: str) -> None:
    """No exception ends a campaign, or is lost: each is the system's."""
    assert words in told(driver, OUTCOME)


@pytest.mark.parametrize(("driver", "words"), ENDS)
def test_whatever_ends_a_process_is_told(project: Path, driver: str, words: str) -> None:
    """A process that ends in a step has failed, whatever its status."""
    assert f"crashed ({words}" in told(driver, STEP)


@pytest.mark.parametrize(("driver", "signature"), HANGS)
def test_whatever_hangs_is_told(project: Path, driver: str, signature: str) -> None:
    """What does not come back is ended at its limit, wherever it waits, and told with it."""
    assert "did not come back within 3 s" in told(driver, signature, hang_s=HANG_S)


def test_what_takes_all_memory_is_told(project: Path) -> None:
    """A step in which a process comes to hold more than it may is a failure, and minimised."""
    text = told("Hoards", f"{STEP}.MemoryError", memory_max_mib=400.0)

    assert "crashed (MemoryError: the process held" in text
    assert "and may hold 400)" in text
    assert "history, 1 step:" in text


def test_a_coroutine_that_waits_for_ever_needs_no_limit(project: Path) -> None:
    """In virtual time, what waits for nothing is known to."""
    text = told("HangsInACoroutine", STEP)

    assert "waiting in HangsInACoroutine.get" in text


@pytest.mark.parametrize(("driver", "signature", "words"), VALUES)
def test_values_that_bear_nothing_are_told(
    project: Path, driver: str, signature: str, words: str
) -> None:
    """What cannot be compared, hashed, printed or held in one screen is a failure as any other."""
    assert words in told(driver, signature)


@pytest.mark.parametrize("driver", WRONG)
def test_what_is_done_to_the_process_hides_nothing(project: Path, driver: str) -> None:
    """A wrong answer is told, saved and minimised in a process that the system has changed."""
    assert "trace: Cell-continuity-get." in told(driver, OUTCOME)


@pytest.mark.parametrize(("driver", "signature", "words"), BESIDE)
def test_what_goes_wrong_beside_the_steps_is_told(
    project: Path, driver: str, signature: str, words: str
) -> None:
    """
    A constructor, close(), a leak hunt, a signal and a lost descriptor have their failure, too.
    """
    hunts = {"round_trip_every": 1} if "leak_hunt" in signature else {}
    assert words in told(driver, signature, **hunts)


@pytest.mark.parametrize(("driver", "words"), NEVER_STARTS)
def test_what_never_starts_is_told_in_words(project: Path, driver: str, words: str) -> None:
    """A system that cannot be started fails each run, and not for ever."""
    start_s = 1.5 if driver == "HangsWhenStarted" else GUARD_S
    heard, printed = played(job(driver, start_s=start_s))

    assert words in flat(printed)
    ((signature, times),) = only(Ended, heard).failures.items()
    assert (is_signature_of(START, signature), times) == (True, 3)
    assert read(Path(f"Cell-{signature}.jsonl"), Cell.kinds()).operations == ()


@pytest.mark.parametrize(
    ("driver", "signature"),
    [
        ("LeavesAThread", "memory-threads"),
        slow("LeavesAChild", "memory-child_processes"),
    ],
)
def test_what_is_left_behind_leaks(project: Path, driver: str, signature: str) -> None:
    """Threads and processes that a system leaves are told as leaks, and hold no campaign."""
    heard, _ = played(job(driver, round_trip_every=1))

    found = only(Found, heard)
    assert found.signature == signature
    assert Path(found.trace).exists()


def test_a_full_disk_loses_no_failure(project: Path) -> None:
    """What cannot be written is printed whole, once."""
    heard, printed = played(job("FillsTheDisk"))

    found = only(Found, heard)
    assert found.trace == ""
    assert printed.count('{"threadline": 1, ') == 1
    assert printed.count('\n{"step": 1, "operation": "get"}\n') == 1


def test_a_full_disk_loses_no_death(project: Path) -> None:
    """A step that ends its process is known, though its worker could not write it down."""
    heard, printed = played(job("LosesItsLastBreath"))

    found = only(Found, heard)
    assert found.signature == f"{STEP}.ended"
    assert read(Path(found.trace), Cell.kinds()).operations[-1][1] == Cell.get()
    assert "not minimised: replays could not be recorded" in flat(printed)
    assert only(Ended, heard).runs == RUNS


@pytest.mark.parametrize(
    ("driver", "scenario", "words"),
    [
        ("HoldsAList", "Cell", "HoldsAList.census returned [0]; return a mapping"),
        ("HoldsUnknown", "Cell", "HoldsUnknown.census has a part 'number', and the census of Cell"),
        ("DrivesBroken", "Broken", "Broken raised ZeroDivisionError('in the model') in get()"),
    ],
)
def test_only_a_driver_or_a_model_that_is_wrong_ends_a_campaign(
    project: Path, driver: str, scenario: str, words: str
) -> None:
    """A mistake of the author's is told in words, by what the command exits with 3 for."""
    wrong = job(driver, scenario=f"tests.toys.misbehaving:{scenario}")

    with pytest.raises(WorkerFailed) as raised:
        campaign(wrong, load_target(wrong.driver), lambda _: None)

    assert words in str(raised.value)
