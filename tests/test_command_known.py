"""Tests of known failures on the command line: accepted, counted apart, fixed, run out."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from threadline import Known
from threadline.campaign.events import Began, Ended, Event, Replayed
from threadline.campaign.tally import Tally
from threadline.known import read_known
from threadline.report.known_text import KnownText

from tests.project import ROOT, flat, ran, run

MUTANT = "tests.mutants.store:ReadingCreates"
CLEAN = "drivers.memory_store:MemoryStoreDriver"
STORED = ROOT / "tests/regressions/reading-creates.jsonl"
HISTORY = "memory-history.conversations"
SHAPES = ("memory-history", "memory-pop", "memory-clear")


def knows(folder: Path, *, driver: str = MUTANT, more: str = "", trace: bool = False) -> None:
    """Write a file of known failures for every signature of the mutant."""
    shutil.copy(STORED, folder / "trace.jsonl")
    line = 'trace = "trace.jsonl"\n' if trace else ""
    (folder / "known.toml").write_text(
        "".join(
            f'[[known]]\nsignature = "{shape}"\ndriver = "{driver}"\nreason = "harmless"\n'
            f"{line if shape == 'memory-history' else ''}{more}\n"
            for shape in SHAPES
        ),
        "utf-8",
    )


def fuzz(driver: str = MUTANT, *more: str, runs: int = 40) -> tuple[int, str]:
    ended = run("fuzz", "store", "--runs", str(runs), "--seed", "1", "--driver", driver, *more)
    return ended.exit_code, flat(ended.output)


def test_known_failures_do_not_fail_a_campaign(project: Path) -> None:
    """They are counted, apart from the others, and told with their reason."""
    knows(project)

    status, output = fuzz()

    assert status == 0
    assert "none store: known: " in output
    assert f"known: {HISTORY} (" in output
    assert "runs): harmless" in output
    assert "diverges" not in output


def test_without_the_file_they_do(project: Path) -> None:
    """The same campaign fails where nothing is known, and tells of one bug with two other faces."""
    status, output = fuzz()

    assert status == 1
    assert output.count("diverges at step 2") == 1
    assert output.count("also: seen as memory-") == 2


def test_another_driver_has_its_own(project: Path) -> None:
    """What is known of one system is news of another."""
    knows(project, driver=CLEAN)

    assert fuzz()[0] == 1


def test_what_is_fixed_is_told(project: Path) -> None:
    """The trace of an entry is played first; where it agrees, the entry can go."""
    knows(project, driver=CLEAN, trace=True)

    status, output = fuzz(CLEAN)

    assert status == 0
    assert "fixed: memory-history: trace.jsonl agrees now; take its entry out" in output
    assert "not seen: memory-pop did not come; if it is fixed, take it out" in output


def test_what_has_run_out_fails_again(project: Path) -> None:
    """From its day on a known failure is one as any other, and it is said why."""
    knows(project, more="until = 2020-01-01\n")

    status, output = fuzz()

    assert status == 1
    assert "expired: memory-pop was known until 2020-01-01: harmless" in output


def test_goes_on_behind_what_is_tolerated(project: Path) -> None:
    """A part that is tolerated ends no run, so that what is behind it shows itself."""
    knows(project, more="tolerate = true\n")

    status, output = fuzz(runs=100)

    assert status == 1
    assert "diverges at step 3" in output
    assert f"known: {HISTORY} (" in output


@pytest.mark.slow
def test_a_trace_behind_what_is_tolerated_is_played_so(project: Path) -> None:
    """
    A failure that is reached behind a tolerated one says so in its header, and is replayed alike.
    """
    knows(project, more="tolerate = true\n")
    fuzz(runs=100)
    (trace,) = [
        path for path in project.glob("reports/runs/*/*.jsonl") if "keys-delete" in path.name
    ][:1]

    ended = run("replay", str(trace), "--driver", MUTANT)

    assert '"tolerates": [' in trace.read_text("ascii")
    assert ended.exit_code == 1
    assert "agrees now" not in ended.output


def test_takes_another_file(project: Path) -> None:
    """A project can keep its known failures where it wants to."""
    knows(project)
    (project / "known.toml").rename(project / "mine.toml")

    assert fuzz(MUTANT, "--known", "mine.toml")[0] == 0


def test_a_driver_can_know_its_failures(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They can stand in the driver's own class as well."""
    entries = ", ".join(f'Known("{shape}", "harmless")' for shape in SHAPES)
    (project / "own.py").write_text(
        "from threadline import Known\n"
        "from drivers.memory_store import MemoryStore, MemoryStoreDriver\n"
        "class ReadingCreates(MemoryStore):\n"
        "    def _turns_of(self, it):\n"
        "        return self._turns.setdefault(self._key(it.user, it.thread), [])\n"
        "class Own(MemoryStoreDriver):\n"
        f"    known = ({entries})\n"
        "    def __init__(self, **settings):\n"
        "        super().__init__(ReadingCreates, **settings)\n",
        "utf-8",
    )

    status, output = fuzz("own:Own")

    assert status == 0
    assert "known: memory-pop.conversations (" in output


@pytest.mark.parametrize("engine", ["hypothesis", "exhaust"])
def test_every_engine_counts_them_apart(project: Path, engine: str) -> None:
    """Which engine has found it makes no difference."""
    knows(project)

    status, output = fuzz(MUTANT, "--engine", engine, "--depth", "2")

    assert status == 0
    assert "known: memory-" in output


def test_accept_writes_an_entry(project: Path) -> None:
    """The entry has what the trace tells, and a copy of it; the next campaign knows it."""
    shutil.copy(STORED, project / "found.jsonl")

    ended = run("accept", "found.jsonl", "--reason", 'it "never" matters', "--until", "2999-01-31")

    (entry,) = read_known(project / "known.toml")
    assert ended.exit_code == 0
    assert entry.signature == "memory-history"
    assert (entry.reason, str(entry.until)) == ('it "never" matters', "2999-01-31")
    assert Path(entry.trace).read_bytes() == STORED.read_bytes()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--reason", "again"], "has an entry for memory-history: harmless"),
        (["--reason", "x", "--until", "2020-01-01"], "2020-01-01 is no day to come"),
        (["--reason", "x", "--until", "soon"], "'soon' does not match the format"),
        ([], "Missing option '--reason'"),
    ],
)
def test_accept_refuses_what_makes_no_entry(
    project: Path, words: list[str], complaint: str
) -> None:
    """One line and status 2, and nothing is written."""
    if "again" in words:
        knows(project)
    shutil.copy(STORED, project / "found.jsonl")

    ended = run("accept", "found.jsonl", *words)

    assert ended.exit_code == 2
    assert complaint in flat(ended.output)
    assert (project / "known.toml").exists() == ("again" in words)


def test_accept_needs_a_failure(project: Path) -> None:
    """A trace that nobody says to fail is no known failure."""
    text = STORED.read_text("ascii").replace('"signature": "memory-history"', '"signature": ""')
    Path("trace.jsonl").write_text(text, "ascii")

    ended = run("accept", "trace.jsonl", "--reason", "x")

    assert ended.exit_code == 2
    assert "trace.jsonl names no failure; accept a trace that fuzz has saved" in flat(ended.output)


def test_a_broken_file_is_told_in_a_line(project: Path) -> None:
    """What is wrong with known.toml is said before anything is played."""
    (project / "known.toml").write_text("[[known]]\nsignature = 'a-b'\n", "utf-8")

    status, output = fuzz()

    assert status == 2
    assert "entry 1 has no reason" in output


@pytest.mark.slow
def test_pytest_knows_them_too(project: Path) -> None:
    """A scenario whose failures are known passes."""
    knows(project)
    (project / "tests").mkdir()
    words = ("--threadline", MUTANT, "--hypothesis-seed=1", "-p", "no:cacheprovider", "-rP")
    ended = ran("pytest", *words)

    assert ended.returncode == 0
    assert b"known: memory-" in ended.stdout


def test_an_entry_is_shown_as_it_is_written() -> None:
    """Known is one of the names that a user imports."""
    assert Known("memory-wait", "harmless").entry().startswith('[[known]]\nsignature = "memory-')


@pytest.mark.slow
def test_a_known_death_hides_no_run(project: Path) -> None:
    """
    The trace of a known failure that ends its process is played, and the whole campaign after it.
    """
    words = ("fuzz", "--runs", "60", "--seed", "3", "--driver", "tests.toys.misbehaving:ExitsWith0")
    run(*words, "tests.toys.misbehaving:Cell")
    (trace,) = project.glob("reports/runs/*/Cell-liveness-get.ended.jsonl")
    found = trace.read_text("ascii")
    trace.write_text(found.replace('"run": ', '"run": 48'), "ascii")  # of a longer campaign
    run("accept", str(trace), "--reason", "harmless")

    ended = run(*words, "tests.toys.misbehaving:Cell")

    assert ended.exit_code == 0
    assert re.search(r"cell +60 ", ended.output)
    assert "known: liveness-get.ended (" in ended.output


def test_counts_what_is_tolerated_by_runs_of_the_search_alone(project: Path) -> None:
    """What replays tolerate while a failure is minimised is no run of the campaign."""
    knows(project, more="tolerate = true\n")

    _, output = fuzz(runs=20)

    counted = [int(runs) for runs in re.findall(r"known: memory-\S+ \((\d+) runs?\)", output)]
    assert "diverges at step" in output
    assert counted
    assert max(counted) <= 20


def test_says_that_a_known_trace_fails_otherwise() -> None:
    """An entry whose trace shows another failure now is about something that has changed."""
    text = KnownText([Known("memory-wait", "harmless", trace="timers.jsonl")])
    text.hear(Replayed("memory-wait", "timers.jsonl", "keys-wait"))

    assert list(text.lines((), is_whole=True)) == [
        "known: memory-wait: timers.jsonl fails otherwise now: keys-wait"
    ]


def test_tells_nothing_unused_behind_a_worker_that_has_ended() -> None:
    """What the last worker has not used, one before it may have."""
    heard: list[Event] = []
    tally = Tally("mine:Store", heard.append)
    tally.hear(Began("mine:Store"))
    tally.died(1, 5)
    tally.begin_worker()
    tally.hear(Ended(9, 90, {}, unused=["rule open: never drawn"]))

    assert isinstance(heard[-1], Ended)
    assert (heard[-1].runs, heard[-1].unused) == (10, [])
