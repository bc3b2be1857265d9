"""`threadline export`: a failing trace as a test of plain calls, which fails and passes alike."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from threadline.leaks.round_trip import RoundTrips
from threadline.loading import load_target
from threadline.lockstep.recorders import warnings_recorded
from threadline.lockstep.run import Runs
from threadline.report.export import exported
from threadline.report.literal import NoSource, Source
from threadline.report.watched import watch
from threadline.trace import Recorder, read, read_header

from tests.doc_pages import README
from tests.project import GUARD_S, ROOT, run
from tests.test_regressions import CLEAN

# What no plain call can show, and what the error names instead.
NOT_PLAIN = {
    "counts-closed-twice": "threadline replay",
    "keeps-after-cancellation": "threadline replay",
    "keeps-dropped": "threadline leaks",
    "leaves-database-session": "threadline replay",
    "warns-nobody": "threadline replay",
}
REGRESSIONS = {path.stem: path for path in sorted((ROOT / "tests/regressions").glob("*.jsonl"))}
every_plain = pytest.mark.parametrize("name", [n for n in REGRESSIONS if n not in NOT_PLAIN])


def text_of(path: Path) -> str:
    target = load_target(read_header(path).driver)
    with warnings_recorded() as warned:
        runs = Runs(target, Recorder(None), warned, after_run=RoundTrips())
        seen = watch(runs, read(path, target.model.kinds()), lambda: None)
    return exported(seen, target, path.name)


def only_test_in(text: str) -> Callable[[], object]:
    """Return the test that an exported file has."""
    names: dict[str, Any] = {}
    exec(compile(text, "exported", "exec"), names)  # our own text
    found: Callable[[], object] = next(names[name] for name in names if name.startswith("test_"))
    return found


@every_plain
def test_fails_on_the_system_with_the_bug(name: str) -> None:
    """The exported test fails as the trace does, and not for a mistake of its own."""
    test = only_test_in(text_of(REGRESSIONS[name]))

    # Whatever the system raises, or that it raises nothing.
    with pytest.raises((Exception, pytest.fail.Exception)) as failed:
        test()

    assert not isinstance(failed.value, (NameError, SyntaxError))


@every_plain
def test_passes_on_the_system_without_the_bug(name: str) -> None:
    """The same calls on the driver without the bug come to what the model expects."""
    path = REGRESSIONS[name]
    module, _, attribute = read_header(path).driver.partition(":")
    clean, _, driver = CLEAN[read_header(path).contract].partition(":")
    imported = f"from {module} import {attribute}\n"
    text = text_of(path)

    assert text.count(imported) == 1
    only_test_in(text.replace(imported, f"from {clean} import {driver} as {attribute}\n"))()


@pytest.mark.parametrize("name", NOT_PLAIN)
def test_says_what_to_use_for_what_no_call_shows(name: str) -> None:
    """A leak, an invariant and a missing warning are refused, with the command that shows them."""
    with pytest.raises(NoSource, match=NOT_PLAIN[name]):
        text_of(REGRESSIONS[name])


STEPS: list[dict[str, object]] = [
    {"threadline": 1, "contract": "chat", "driver": "mine:MyChat"},
    {"step": 1, "operation": "say", "user": "ana:b", "thread": "t", "text": "m1"},
    {"step": 2, "operation": "read", "user": "ana", "thread": "b:t"},
]
PLAIN = """\
    driver = MyChat()
    try:
        driver.say('ana:b', 't', 'm1')
        # model: ok, []
        # system: ok, ['m1']
        assert driver.read('ana', 'b:t') == []
    finally:
        end(driver)
"""


def write_example(project: Path, steps: list[dict[str, object]] = STEPS) -> str:
    """Write the example of the README, and a trace; return the path of the trace."""
    (project / "pyproject.toml").unlink()
    system, mine = README.fenced("python")[:2]
    (project / "chat.py").write_text(system, "utf-8")
    (project / "mine.py").write_text(mine, "utf-8")
    (project / "joined.jsonl").write_text("".join(f"{json.dumps(s)}\n" for s in steps), "ascii")
    return "joined.jsonl"


def plain_pytest(project: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_joined.py"]
    return subprocess.run(
        command, cwd=project, capture_output=True, check=False, text=True, timeout=GUARD_S
    )


@pytest.mark.slow
def test_the_example_fails_until_it_is_fixed(project: Path) -> None:
    """The README's failure is exported in one assertion; the fix that it names makes it pass."""
    result = run("export", write_example(project))

    assert result.exit_code == 0, result.output
    assert PLAIN in (project / "test_joined.py").read_text("utf-8")
    assert plain_pytest(project).returncode == 1
    chat = project / "chat.py"
    chat.write_text(chat.read_text("utf-8").replace('f"{user}:{thread}"', "(user, thread)"))
    assert plain_pytest(project).returncode == 0


def test_a_refusal_is_raised(project: Path) -> None:
    """What the model refuses is pytest.raises with the exception that the driver declares."""
    joined = [*STEPS[:2], {"step": 2, "operation": "forget", "user": "ana", "thread": "b:t"}]

    result = run("export", write_example(project, joined))

    assert result.exit_code == 0, result.output
    text = (project / "test_joined.py").read_text("utf-8")
    assert "        with pytest.raises(KeyError):  # unknown thread\n" in text
    assert "            driver.forget('ana', 'b:t')\n" in text


def test_what_a_trace_says_is_a_literal(project: Path) -> None:
    """A text of the trace ends no literal and no comment, and shows no character that hides."""
    evil = "'''\"\"\"\n\u202eimport os\x1b"
    hostile = [STEPS[0], {**STEPS[1], "text": evil}, STEPS[2]]

    run("export", write_example(project, hostile))

    text = (project / "test_joined.py").read_text("utf-8")
    assert f"driver.say('ana:b', 't', {evil!r})\n" in text
    assert "\u202e" not in text
    assert "\x1b" not in text


SHARES = "self._said.get(self._key(user, thread), [])"
SHARED: list[dict[str, object]] = [
    STEPS[0],
    {"step": 1, "operation": "say", "user": "ana", "thread": "t", "text": "m1"},
    {"step": 2, "operation": "read", "user": "ana", "thread": "t"},
    {"step": 3, "operation": "read", "user": "ana", "thread": "t"},
]


def test_what_is_returned_is_changed_where_that_is_needed(project: Path) -> None:
    """A chat log that hands out what it keeps fails so, and passes once it returns a copy."""
    trace, chat = write_example(project, SHARED), project / "chat.py"
    copies = chat.read_text("utf-8")
    chat.write_text(copies.replace("list(self._said.get(self._key(user, thread), []))", SHARES))

    result = run("export", trace)

    assert result.exit_code == 0, result.output
    text = (project / "test_joined.py").read_text("utf-8")
    assert "        handed(driver.read('ana', 't'))\n" in text
    assert "        assert driver.read('ana', 't') == ['m1']\n" in text
    assert plain_pytest(project).returncode == 1
    chat.write_text(copies, "utf-8")
    assert plain_pytest(project).returncode == 0


def test_types_are_told_apart_in_what_was_returned(project: Path) -> None:
    """That [True] is not [1] is asserted, though the list was changed since it was returned."""
    trace = write_example(project)
    mine = project / "mine.py"
    wrong = mine.read_text("utf-8").replace(
        "return self.said.get((user, thread), [])", "return [1]"
    )
    mine.write_text(wrong, "utf-8")
    chat = project / "chat.py"
    chat.write_text(
        chat.read_text("utf-8").replace(f"return list({SHARES})", "return [True]"), "utf-8"
    )

    result = run("export", trace)

    assert result.exit_code == 0, result.output
    assert "assert exact(driver.read('ana', 'b:t')) == exact([1])" in (
        project / "test_joined.py"
    ).read_text("utf-8")


def test_a_value_is_left_alone_where_the_failure_is_another(project: Path) -> None:
    """The calls are plain then, whatever was returned."""
    head, say, look = STEPS
    read_before = [head, {**look, "step": 1}, {**say, "step": 2}, {**look, "step": 3}]

    run("export", write_example(project, read_before))

    assert "handed" not in (project / "test_joined.py").read_text("utf-8")


def test_does_not_overwrite(project: Path) -> None:
    """A file of that name may have been edited: it is left, and the exit status is 2."""
    trace = write_example(project)
    (project / "test_joined.py").write_text("mine", "utf-8")

    result = run("export", trace)

    assert result.exit_code == 2
    assert "test_joined.py is there already; move it, or remove it" in result.output
    assert (project / "test_joined.py").read_text("utf-8") == "mine"


RACE = """\
from tests.toys.racing import ChecksThenTakes, RightDesks, RightDriver


class Mine(RightDriver):
    kind = ChecksThenTakes
"""
AT_ONCE: list[dict[str, object]] = [
    {"threadline": 1, "contract": "desks", "driver": "mine:Mine", "overlap": True},
    {"step": 1, "operation": "enter", "user": "ana", "@timing": {"delays": {"1": 2}}},
    {"step": 2, "operation": "enter", "user": "ana", "@timing": {"begins": "during"}},
]


def write_race(project: Path, steps: list[dict[str, object]] = AT_ONCE) -> Path:
    """Write a driver with a race, and a trace that shows it; return its path."""
    (project / "mine.py").write_text(RACE, "utf-8")
    (project / "it's.jsonl").write_text("".join(f"{json.dumps(s)}\n" for s in steps), "ascii")
    return project / "it's.jsonl"


@pytest.mark.parametrize("given", [(), ("--driver", "mine:Mine")])
def test_operations_at_once_are_replayed(project: Path, given: tuple[str, ...]) -> None:
    """The test fails with the text of the race while that is there, and passes when it is fixed."""
    result = run("export", str(write_race(project)), *given)
    assert result.exit_code == 0, result.output
    (made,) = project.glob("test_*.py")
    names: dict[str, Any] = {"__file__": str(made)}
    exec(compile(made.read_text("utf-8"), "exported", "exec"), names)  # our own text

    with pytest.raises(AssertionError, match="at once, time to the right"):
        names["test_continuity_enter"]()
    fixed = RACE.replace("kind = ChecksThenTakes", "kind = RightDesks")
    (project / "mine.py").write_text(fixed, "utf-8")
    names["test_continuity_enter"]()


def test_operations_at_once_that_agree_are_refused(project: Path) -> None:
    """Where nothing fails there is nothing to replay, and no file is left."""
    calm = [AT_ONCE[0], *({**step, "@timing": {}} for step in AT_ONCE[1:])]
    result = run("export", str(write_race(project, calm)))

    assert result.exit_code == 2
    assert "does not fail: there is nothing to export" in result.output
    assert list(project.glob("test_*")) == []


def test_refuses_a_trace_that_agrees(project: Path) -> None:
    """Where nothing fails there is nothing to export."""
    result = run("export", write_example(project, STEPS[:2]))

    assert result.exit_code == 2
    assert "does not fail: there is nothing to export" in result.output


def test_a_value_that_is_no_literal_is_refused() -> None:
    """Nothing but literals, enums and dataclasses is written as source."""
    with pytest.raises(NoSource, match="a value of type object cannot be written as source"):
        Source().text(object())


@pytest.mark.parametrize(
    "value",
    [10**5000, float("inf"), {1, 2}, set(), frozenset({"a"}), (1,), {"a": [b"\x00"]}],
    ids=lambda value: type(value).__name__,
)
def test_a_literal_reads_back(value: object) -> None:
    """The source of a value evaluates to the value."""
    assert eval(Source().text(value)) == value  # our own text
