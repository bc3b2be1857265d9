"""Tests of a night as its users run it: what it plays, remembers and leaves behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from threadline.campaign.corpus import Corpus
from threadline.campaign.job import Job
from threadline.campaign.plan import Plan
from threadline.cli.cli_names import plan_of_all
from threadline.cli.running import Campaign, entries_of
from threadline.defaults import Defaults, read_defaults
from threadline.report.keeper import Keeper
from threadline.report.record import Record, read_record
from threadline.report.terminal import Terminal

from tests.project import GUARD_S, heard, run

CLEAN = "drivers.memory_store:MemoryStoreDriver"
MUTANT = "tests.mutants.store:JoinsKeys"
NIGHT = ["nightly", "--for", "10m", "--seed", "0"]


def night(
    project: Path, *drivers: str, runs: int = 60, known: str = "known.toml"
) -> tuple[int, str, Record]:
    """Play a night of so many runs each, and no time; return its status, text and record."""
    printed, folder = StringIO(), project / "reports" / f"{len(list(project.glob('reports/*')))}"
    folder.mkdir(parents=True)
    plan, _ = plan_of_all(drivers, (), read_defaults())
    job = Job("", "", "explore", 0, 50, runs, folder=str(folder), hang_s=GUARD_S, follows=True)
    entries, text = entries_of(job, plan, project / known)
    terminal = Terminal(console=Console(file=printed, width=100, highlight=False), known=text)
    facts = {"name": folder.name, "command": "nightly", "version": "", "seed": 0, "engine": "e"}
    planned = Plan(entries, 2, corpus=Corpus(project / "corpus"))
    status = Campaign(planned, terminal, folder, keeper=Keeper(entries, facts, folder)).run()
    return status, printed.getvalue(), read_record(folder)


def test_a_night_leaves_a_record(project: Path) -> None:
    """What was played, reached and found is there as data, with traces that can be replayed."""
    status, text, record = night(project, MUTANT)

    (scenario,) = record.scenarios
    failure = record.failures[0]
    assert status == record.exit == 1
    assert record.verdict.startswith("failed: ")
    assert (scenario.runs, scenario.never) == (60, ())
    assert scenario.states > 50
    assert scenario.operations["pop"]["ok"] > 0
    assert failure.signature in text
    replayed = run("replay", f"reports/{record.name}/{failure.trace}", "--driver", MUTANT)
    assert replayed.exit_code == 1


def test_yesterdays_failure_is_played_first(project: Path) -> None:
    """It comes before all else; the record says since when it is there."""
    _, _, first = night(project, MUTANT)
    _, _, second = night(project, MUTANT, runs=1)

    names = {failure.signature for failure in first.failures}
    assert {failure.since for failure in first.failures} == {""}
    assert names <= {failure.signature for failure in second.failures}
    assert {failure.since for failure in second.failures} == {first.began}
    assert second.corpus.replayed >= len(names)
    assert [each.name for each in second.trend] == [first.name]


def test_a_failure_is_told_when_it_is_found(project: Path) -> None:
    """In one line, long before the summary, with the file that it is in."""
    _, text, record = night(project, MUTANT)

    told = re.findall(r"^(?:\d+ m )?\d+ s: store fails: (\S+), trace: (\S+)$", text, re.MULTILINE)
    names = {name for each in record.failures for name in (each.signature, *each.also)}
    assert {signature for signature, _ in told} == names
    assert len(told) == len(names)
    assert all(Path(trace).exists() for _, trace in told)
    assert text.index("store fails:") < text.index("diverges at step")


@pytest.mark.slow
def test_what_is_mended_is_told(project: Path) -> None:
    """A failing trace that agrees now is fixed, and no failure of the next night."""
    _, _, first = night(project, MUTANT)
    for kept in (project / "corpus" / "failures").iterdir():
        kept.write_text(kept.read_text("ascii").replace(MUTANT, CLEAN), "ascii")

    status, _, mended = night(project, CLEAN, runs=20)
    _, _, third = night(project, CLEAN, runs=20)

    assert status == 0
    names = {name for each in first.failures for name in (each.signature, *each.also)}
    assert mended.corpus.fixed == tuple(sorted(names))
    assert mended.verdict == "passed: no unaccepted failure"
    assert third.corpus.fixed == ()


@pytest.mark.slow
def test_a_trace_that_no_longer_fits_is_set_aside(project: Path) -> None:
    """Its operation or setting is gone; the night says so once, and goes on."""
    night(project, MUTANT)
    first, second, *_ = sorted((project / "corpus" / "failures").iterdir())
    first.write_text(first.read_text("ascii").replace('"open"', '"opened"'), "ascii")
    header = second.read_text("ascii")
    second.write_text(header.replace('"settings": {}', '"settings": {"gone": 1}'), "ascii")

    status, _, record = night(project, MUTANT)
    _, _, again = night(project, MUTANT, runs=20)

    assert status == 1
    assert set(record.corpus.aside) == {first.name, second.name}
    assert "no operation is called 'opened'" in record.corpus.aside[first.name]
    assert len([note for note in record.notes if "set aside" in note]) == 2
    assert again.corpus.aside == {}


@pytest.mark.slow
def test_many_scenarios_on_many_drivers(project: Path) -> None:
    """Each driver plays all that it fits; where names meet, they are told apart."""
    status, text, record = night(project, CLEAN, MUTANT, runs=30)

    assert status == 1
    assert [(each.driver, each.runs) for each in record.scenarios] == [(CLEAN, 30), (MUTANT, 30)]
    assert "store on MemoryStoreDriver" in text
    assert "store on JoinsKeys" in text
    assert {failure.driver for failure in record.failures} == {MUTANT}
    assert all("Store" in failure.trace for failure in record.failures)


@pytest.mark.slow
def test_known_failures_are_recorded_apart(project: Path) -> None:
    """An accepted failure is none of the night's; its entry says in how many runs it came."""
    _, _, first = night(project, MUTANT)
    names = {name for each in first.failures for name in (each.signature, *each.also)}
    entries = (f'[[known]]\nsignature = "{name}"\nreason = "later"\n' for name in sorted(names))
    (project / "known.toml").write_text("".join(entries), "utf-8")

    _, text, record = night(project, MUTANT)

    assert names.isdisjoint(each.signature for each in record.failures)
    assert {each.state for each in record.known} <= {"known", "not seen"}
    assert any(each.runs for each in record.known)
    assert "known: " in text


def test_sigterm_ends_a_night_with_its_report(project: Path) -> None:
    """As Ctrl-C does: what was found is told, recorded, and in the corpus, minimised or not."""
    pipe = project / "pipe"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "threadline", *NIGHT, "--driver", "tests.toys.stores:stubborn"]
    campaign = subprocess.Popen(
        [*command, "--workers", "1"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "STUBBORN_PIPE": str(pipe)},
    )
    assert heard(pipe) == "minimising\n"

    campaign.send_signal(signal.SIGTERM)

    output, _ = campaign.communicate(timeout=GUARD_S)
    (folder,) = project.glob("reports/runs/*")
    record = read_record(folder)
    assert campaign.returncode == 1
    assert record.ended == "interrupted"
    assert [each.signature for each in record.failures] == ["continuity-pop"]
    assert [each.signature for each in Corpus(Path("reports/corpus")).failures()] == [
        "continuity-pop"
    ]
    assert "interrupted" in output


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--memory-max", "2"], "'2' is no amount of memory; write 512MiB or 2GiB"),
        (["--workers", "0"], "'0' is no number of workers; write auto, or 1 to 256"),
        (["--scenario", "nobody"], "no scenario is called 'nobody'"),
        (["--driver", "nobody:Nothing"], "No module named 'nobody'"),
        (["--scenario", "store", "--driver", "drivers.sessions:SessionsDriver"], "none of "),
    ],
)
def test_a_wrong_option_exits_with_2(project: Path, words: list[str], complaint: str) -> None:
    """What was given, and what to write instead."""
    result = run(*NIGHT, *words)

    assert result.exit_code == 2
    assert complaint in " ".join(result.output.split())


def test_what_is_not_installed_is_left_out() -> None:
    """A listed driver that cannot be loaded is told, and the others are played."""
    plan, missing = plan_of_all((), (), Defaults(CLEAN, ("nobody:Nothing",)))

    assert [target.name for _, target in plan] == [CLEAN]
    assert missing == [
        "left out: nobody:Nothing is not available: 'nobody:Nothing': No module named 'nobody'; "
        "run threadline in the folder that holds it"
    ]
