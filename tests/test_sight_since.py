"""`threadline sight --since REV` tries what a change touches: the functions that it changed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from threadline.loading import load_target
from threadline.sight.mutants import Mutant, mutants_of, system_of
from threadline.sight.since import EVERY, changed_lines, of_changed

from tests.doc_pages import README
from tests.project import ROOT, run

METER = ROOT / "tests/toys/meter.py"
ADD_LINE = 21  # within Meter.add


def git(folder: Path, *words: str) -> None:
    own = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "core.hooksPath=/dev/null")
    subprocess.run(["git", *own, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def chat(project: Path) -> Path:
    """Go to a repository with the chat log of the README, its bug fixed, in one commit."""
    system, model = README.fenced("python")[:2]
    (project / "chat.py").write_text(
        system.replace('return f"{user}:{thread}"', "return (user, thread)"), "utf-8"
    )
    (project / "mine.py").write_text(model, "utf-8")
    git(project, "init", "-q")
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "begin")
    return project


def put(folder: Path, old: str, new: str) -> None:
    text = (folder / "chat.py").read_text("utf-8")
    assert text.count(old) == 1
    (folder / "chat.py").write_text(text.replace(old, new), "utf-8")


def of_meter() -> list[Mutant]:
    return mutants_of(
        system_of(load_target("tests.toys.metered:MeteredDriver"), ["tests.toys.meter"])
    )


@pytest.mark.parametrize(
    ("lines", "functions"),
    [
        ([range(ADD_LINE, ADD_LINE + 1)], {"Meter.add"}),
        ([range(1, 3)], set()),
        ([], set()),
    ],
)
def test_only_functions_that_were_changed_have_mutants(
    lines: list[range], functions: set[str]
) -> None:
    """
    A line of one function touches all of its mutants, and those of no other.
    """
    found = of_changed(of_meter(), {METER: lines})

    assert {each.edit.function for each in found} == functions
    assert len(found) == sum(each.edit.function in functions for each in of_meter())


def test_a_file_that_is_new_is_changed_throughout() -> None:
    """
    Then every mutant is tried, under its own number.
    """
    assert of_changed(of_meter(), {METER: [EVERY]}) == of_meter()
    assert of_changed(of_meter(), {}) == []


def test_the_lines_of_a_change_are_those_of_now(chat: Path) -> None:
    """
    Where a line was taken out, its neighbours count; of a new file, all do.
    """
    put(chat, "        said.append(text)\n", "")
    put(chat, "        del self", "        # gone\n        del self")
    (chat / "new.py").write_text("a = 1\n", "utf-8")

    assert changed_lines("HEAD") == {
        chat / "chat.py": [range(9, 11), range(16, 17)],
        chat / "new.py": [EVERY],
    }


def test_the_command_tries_what_has_changed(chat: Path) -> None:
    """
    Nothing, where nothing has; and the mutants of a function that has, whose numbers are of all.
    """
    nothing = run("sight", "mine:MyChat", "--seed", "0", "--since", "HEAD")
    put(chat, "        return len(said)", "        many = len(said)\n        return many")
    one = run("sight", "mine:MyChat", "--seed", "0", "--since", "HEAD")

    assert nothing.output.splitlines()[-1] == "no mutant, seed 0: none; score 100.0 %"
    assert "ChatLog.read" not in one.output
    assert one.output.splitlines()[-1] == "3 of 8 mutants, seed 0: 3 killed; score 100.0 %"


def test_a_revision_that_is_none_is_told(chat: Path) -> None:
    """
    The exit status is 2, and the option is named.
    """
    result = run("sight", "mine:MyChat", "--since", "nowhere")

    assert result.exit_code == 2
    assert "--since nowhere" in " ".join(result.output.split())
