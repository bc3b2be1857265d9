"""`threadline leaks`: what it prints, writes and exits with."""

from __future__ import annotations

import os
import threading
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from threadline.leaks.process_watch import Sample, grows, samples, verdicts

from tests.project import entered, run

LEAKING = ("leaks", "connections", "--runs", "3", "--seed", "1", "--cycles", "30", "--driver")
DRIVER = "tests.mutants.leaks:KeepsEndedManagers"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Find a leak by command; return the folder of its reports, and what was printed."""
    with entered(tmp_path_factory.mktemp("leaking")) as here:
        result = run(*LEAKING, DRIVER, "--objgraph")
        assert result.exit_code == 1, result.output
        (folder,) = (here / "reports/runs").iterdir()
        return folder, result.output


@pytest.fixture
def folder(project: Path, found: tuple[Path, str]) -> Path:
    """Go to another project; return the folder of the reports."""
    return found[0]


def test_tells_of_a_leak_and_exits_with_1(found: tuple[Path, str]) -> None:
    """The report comes with its files, the command that shows it again, and a summary."""
    assert "LEAK  1 step: +1.00 dict entry (IsolatedWebSocketManager) per cycle" in found[1]
    assert "  replay:  threadline replay reports/runs/" in found[1]
    assert "1 leak in 3 runs, each torn down and repeated" in found[1]


def test_exits_with_0_where_nothing_leaks(project: Path) -> None:
    """A clean system leaves no file behind, and the net is told."""
    result = run("leaks", "connections", "--runs", "3", "--seed", "1")

    assert result.exit_code == 0, result.output
    assert "0 leaks in 3 runs" in result.output
    assert "  net: " in result.output
    assert list((project / "reports/runs").iterdir()) == []


@pytest.mark.slow
def test_replay_shows_the_leak_again(folder: Path) -> None:
    """The stored trace says that it ends with a round trip."""
    trace = str(folder / "memory-system.factory._ended.jsonl")
    result = run("replay", trace, "--driver", DRIVER)

    assert result.exit_code == 1
    assert "memory: system.factory._ended is not given back" in result.output


def test_a_stored_trace_can_be_investigated(folder: Path) -> None:
    """A trace in the place of a scenario is taken apart as it is."""
    trace = folder / "memory-system.factory._ended.jsonl"
    result = run("leaks", str(trace), "--cycles", "30", "--driver", DRIVER)

    assert result.exit_code == 1
    assert "survivors born in  connect (step 1)" in result.output


def test_the_page_is_whole(folder: Path) -> None:
    """Its two pictures are well-formed, and it needs no other file."""
    page = (folder / "system.factory._ended.html").read_text("utf-8")
    pictures = [f"<svg{part.partition('</svg>')[0]}</svg>" for part in page.split("<svg")[1:]]

    assert [ElementTree.fromstring(picture).tag for picture in pictures] == ["svg", "svg"]
    assert "http" not in page.replace("http-equiv", "")


def test_the_markdown_has_the_chain_for_mermaid(folder: Path) -> None:
    """Each edge of the chain is an arrow with the name that its holder has for it."""
    text = (folder / "system.factory._ended.md").read_text("utf-8")

    assert '  n0["system: ChatSystem"]' in text
    assert '  n1 -- "._ended" --> n2["dict"]' in text
    assert "| **`factory._ended`** |  | +1 |" in text


def test_objgraph_shows_who_holds_a_survivor(folder: Path) -> None:
    """The lens is written as a graph for dot, which need not be installed."""
    assert (folder / "system.factory._ended.dot").read_text("utf-8").startswith("digraph")


def test_a_process_that_ends_in_a_hunt_is_told_with_its_trace(project: Path) -> None:
    """A step that ends its process does not end the command: it is a failure of liveness."""
    result = run(
        "leaks", "tests.toys.misbehaving:ExitsWith0", "tests.toys.misbehaving:Cell", "--seed", "62"
    )

    assert result.exit_code == 1
    assert "system:  crashed (the process ended: exit status 0)" in result.output
    (trace,) = project.glob("reports/runs/*/liveness-get.ended.jsonl")
    assert '"operation": "get"' in trace.read_text("ascii").splitlines()[-1]


@pytest.mark.slow
def test_a_thread_that_goes_on_does_not_hold_the_command(project: Path) -> None:
    """Once all is told, the process of the hunt is ended, whatever still runs in it."""
    result = run(
        "leaks", "tests.toys.misbehaving:StartsAThread", "tests.toys.misbehaving:Cell",
        "--seed", "62", "--runs", "2",
    )  # fmt: skip

    assert result.exit_code == 0
    assert "0 leaks in 2 runs" in result.output


def test_fuzz_finds_a_leak_as_a_failure_of_memory(project: Path) -> None:
    """
    One run in thirty ends with a round trip, and a leak is minimised and kept like any failure.
    """
    result = run("fuzz", "conversation", "--runs", "90", "--seed", "1", "--steps", "10",
                 "--driver", "tests.mutants.leaks:AuditsNothing")  # fmt: skip

    assert result.exit_code == 1, result.output
    assert "memory: system.router._audit is not given back" in result.output
    assert "memory-system.router._audit (" in result.output


def test_a_process_is_watched_from_outside() -> None:
    """Memory, descriptors and threads of this very process are read."""
    (sample,) = samples(os.getpid(), 1, 1.0)

    assert sample.uss_kb > 1_000
    assert sample.descriptors > 0
    assert sample.threads >= threading.active_count()


def test_growth_of_memory_alone_is_no_leak() -> None:
    """Descriptors that grow are called growing; memory is shown, and judged by nobody."""
    seen = [Sample(float(at), 1_000 + 100 * at, 10 + at, 4) for at in range(16)]

    assert verdicts(seen) == [
        "file descriptors: 10 to 25, GROWS",
        "threads: 4 to 4, does not grow steadily",
        "memory: 1,000 to 2,500 KB, which alone is no leak",
    ]


def test_one_step_up_is_no_growth() -> None:
    """Growing is from each quarter of the samples to the next."""
    assert grows([1, 1, 2, 2, 3, 3, 4, 4])
    assert not grows([1, 1, 9, 9, 9, 9, 9, 9])


def test_an_unknown_process_is_told_so(project: Path) -> None:
    """A process that is not there is a wrong option."""
    result = run("leaks", "--pid", "999999999", "--for", "2s")

    assert result.exit_code == 2
    assert "process 999999999 cannot be watched" in result.output
