"""`threadline replay` and `threadline minimise` as their user meets them."""

from __future__ import annotations

import json
import platform
from pathlib import Path

import pytest
from threadline.trace import versions as trace_versions

from tests.project import ROOT, run

JOINED = str(ROOT / "tests" / "regressions" / "joins-keys.jsonl")
CLEAN = ("--driver", "drivers.memory_store:MemoryStoreDriver")


def stored(project: Path, lines: list[dict[str, object]], **more: object) -> str:
    """Keep a trace for the store whose pop takes the first, and return its path."""
    header: dict[str, object] = {
        "threadline": 1,
        "contract": "conversation_store",
        "driver": "tests.mutants.store:PopsTheFirst",
        "scenario": "threadline.contracts.conversation_store:Store",
        **more,
    }
    path = project / "trace.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in [header, *lines]), "ascii")
    return str(path)


FUNCTION = """
from tests.mutants.store import PopsTheFirst

def first():
    return PopsTheFirst()
"""
HANDLE = {"handle": "c_3"}
LONG: list[dict[str, object]] = [
    {"step": 1, "operation": "threads", "user": "Ana"},
    {"step": 3, "operation": "open", "user": "Ana", "thread": "b:t"},
    {"step": 4, "operation": "append", "conversation": HANDLE, "text": "one"},
    {"step": 6, "operation": "append", "conversation": HANDLE, "text": "two"},
    {"step": 7, "operation": "pop", "conversation": {"handle": "c_2"}},
    {"step": 9, "operation": "pop", "conversation": HANDLE},
]


def test_replay_shows_the_step_that_diverges_and_exits_with_1(project: Path) -> None:
    """Each step on a line, the model beside the system, an arrow where they part."""
    result = run("replay", stored(project, LONG))

    assert result.exit_code == 1
    assert "   4  append(conversation=c_3, text='one')  ok\n" in result.output
    assert "->   9  pop(conversation=c_3)  ok, 'one'\n" in result.output


def test_replay_says_what_it_skips(project: Path) -> None:
    """An operation whose handle nothing stands behind is skipped, and shown as skipped."""
    result = run("replay", stored(project, LONG))

    assert "   7  pop(conversation=c_2)  skipped: c_2 names nothing" in result.output


def test_replay_on_a_clean_driver_exits_with_0(project: Path) -> None:
    """Another driver than the trace's own can be given, and agrees where it has no bug."""
    result = run("replay", stored(project, LONG), *CLEAN)

    assert result.exit_code == 0
    assert result.output.endswith("agrees on all 6 operations\n")


def test_replay_waits_for_enter_before_each_step(project: Path) -> None:
    """With --step, no step is taken that was not asked for."""
    result = run("replay", stored(project, LONG[:3]), "--step")

    assert result.exit_code == 1
    assert "   1  " not in result.output
    assert "Aborted!" in result.output


def test_minimise_writes_the_shortest_trace_beside_the_long_one(project: Path) -> None:
    """Steps that do not matter go, values become simpler, numbers close up."""
    result = run("minimise", stored(project, LONG))

    assert result.exit_code == 0
    assert "from 6 to 4 steps" in result.output
    assert (project / "trace.least.jsonl").read_text("ascii").splitlines()[1:] == [
        '{"step": 1, "operation": "open", "user": "ana", "thread": "t"}',
        '{"step": 2, "operation": "append", "conversation": {"handle": "c_1"}, "text": "m2"}',
        '{"step": 3, "operation": "append", "conversation": {"handle": "c_1"}, "text": "m3"}',
        '{"step": 4, "operation": "pop", "conversation": {"handle": "c_1"}}',
    ]


def test_minimise_refuses_a_trace_that_does_not_fail(project: Path) -> None:
    """There is nothing to make shorter: status 1, and nothing is written."""
    result = run("minimise", stored(project, LONG), *CLEAN)

    assert result.exit_code == 1
    assert "does not fail: there is nothing to minimise" in result.output
    assert not (project / "trace.least.jsonl").exists()


def test_minimise_works_without_the_scenario(project: Path) -> None:
    """A renamed scenario costs the simpler arguments, not the shorter trace."""
    path = Path(stored(project, LONG))
    path.write_text(path.read_text("ascii").replace("store:Store", "store:Renamed"), "ascii")

    result = run("minimise", str(path))

    assert "conversation_store:Renamed is not listed by this project" in result.output
    assert "from 6 to 4 steps" in result.output


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ({"step": 1, "operation": "sing"}, "trace.jsonl:2: no operation is called 'sing'; there"),
        ({"step": 1, "operation": "pop"}, "pop has the arguments none, and takes conversation"),
        ({"step": "1", "operation": "reopen"}, "the step is '1'; write a whole number from 1"),
    ],
)
def test_a_line_that_cannot_be_read_exits_with_2(
    project: Path, line: dict[str, object], complaint: str
) -> None:
    """The file, the line, and what it should have been."""
    result = run("replay", stored(project, [line]))

    assert result.exit_code == 2
    assert complaint in " ".join(result.output.split())


def test_replay_needs_nothing_but_the_driver_and_the_operations(project: Path) -> None:
    """A stored trace plays wherever its driver can be imported."""
    assert run("replay", JOINED).exit_code == 1


@pytest.mark.parametrize(
    ("signature", "told"),
    [
        ("continuity-pop", False),
        ("continuity", True),  # not a signature of before, but a part of its name
        ("memory-clear", True),
        ("", False),
    ],
)
def test_tells_that_another_failure_came_back(project: Path, signature: str, *, told: bool) -> None:
    """A trace that fails otherwise than when it was kept says how, in a replay and minimised."""
    trace = stored(project, LONG, signature=signature)
    line = f"this trace was a failure: {signature}, and fails as continuity-pop now"

    assert [line in run(command, trace).output for command in ("replay", "minimise")] == [told] * 2


@pytest.mark.parametrize(("command", "status"), [("replay", 0), ("minimise", 1)])
def test_tells_that_a_failure_did_not_come_back(project: Path, command: str, status: int) -> None:
    """What was fixed agrees, and is told to have failed once."""
    result = run(command, stored(project, LONG, signature="memory-wait"), *CLEAN)

    assert result.exit_code == status
    assert "this trace was a failure: memory-wait, and agrees now\n" in result.output


@pytest.mark.parametrize("command", ["replay", "minimise", "leaks"])
def test_tells_that_a_trace_was_cut(project: Path, command: str) -> None:
    """A last line that is not whole is left out, and that is told."""
    trace = Path(stored(project, LONG))
    trace.write_bytes(trace.read_bytes()[:-3])

    result = run(command, str(trace), *CLEAN)

    assert "cut short: its last line is not whole, and is left out\n" in result.output


@pytest.mark.parametrize("command", ["replay", "minimise", "leaks"])
def test_tells_what_differs_from_when_a_trace_was_made(project: Path, command: str) -> None:
    """
    A version and a part of the policy that are others now have a line each; what is the same none.
    """
    policy = {"shared": False, "durable": True, "clear_deletes": False}
    versions = {**trace_versions(), "python": "2.7.18", "unheard-of": "1"}
    trace = stored(project, LONG, policy=policy, versions=versions)

    lines = [line.strip() for line in run(command, trace, *CLEAN).output.splitlines()]

    assert [line for line in lines if line.startswith("made ")] == [
        f"made with python 2.7.18, and this is {platform.python_version()}",
        "made under the policy shared=False, and this driver has True",
    ]


def test_the_command_names_a_driver_that_the_trace_does_not_lead_to(project: Path) -> None:
    """What is replayed on a function is replayed on it again by the command that is told."""
    Path("mine.py").write_text(FUNCTION, "utf-8")
    result = run("replay", stored(project, LONG), "--driver", "mine:first")

    trace = f"{project}/trace.jsonl"
    assert result.output.splitlines()[-1] == (
        f"  replay:  threadline replay {trace} --driver mine:first"
    )


def test_the_command_names_no_driver_that_the_trace_leads_to(project: Path) -> None:
    """A mutant that the project lists is found by its name."""
    result = run("replay", stored(project, LONG))

    assert result.output.splitlines()[-1] == f"  replay:  threadline replay {project}/trace.jsonl"


def overlapping(project: Path) -> str:
    """Keep a trace of two who enter at the same time, and return its path."""
    path = project / "overlap.jsonl"
    lines: list[dict[str, object]] = [
        {
            "threadline": 1,
            "contract": "desks",
            "driver": "tests.toys.racing:Checking",
            "overlap": True,
        },
        {"step": 1, "operation": "enter", "user": "ana", "@timing": {"delays": {"1": 2}}},
        {"step": 2, "operation": "enter", "user": "ana", "@timing": {"begins": "during"}},
        {"step": 3, "operation": "leave", "user": "ana"},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "ascii")
    return str(path)


def test_replay_shows_operations_that_overlap_as_they_are_judged(project: Path) -> None:
    """Each once, with what it came to, and when it went on beside the others."""
    trace = overlapping(project)
    fixed = run("replay", trace, "--driver", "tests.toys.racing:RightDriver")
    broken = run("replay", trace, "--driver", "tests.toys.racing:Checking")

    assert fixed.exit_code == 0
    assert [fixed.output.count(f"\n     {number}  ") for number in (1, 2, 3)] == [1, 1, 1]
    assert broken.exit_code == 1
    assert "at once, time to the right" in broken.output
