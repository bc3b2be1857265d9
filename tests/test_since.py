"""Tests of `fuzz --since`: what a change reaches, and what of all that fails it has brought."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from threadline.campaign.corpus import Corpus
from threadline.campaign.since import Changed, changed_since, parsed, touched
from threadline.report.record import Record, read_record

from tests.history import MINE, RIGHT, SYSTEM, WRONG, git
from tests.nights import entry
from tests.project import run

FUZZ = ["fuzz", "mine:MyChat", "--seed", "0", "--runs", "40"]
ONE, TWO = ("mine:One", "mine:Driver"), ("mine:Two", "mine:Driver")
DIFF = """\
diff --git a/chat.py b/chat.py
--- a/chat.py
+++ b/chat.py
@@ -3 +3,2 @@ class ChatLog:
-    a
+    b
+    c
@@ -10,0 +12 @@ class ChatLog:
+    d
@@ -20,2 +22,0 @@ class ChatLog:
-    e
-    f
diff --git a/new.py b/new.py
--- /dev/null
+++ b/new.py
@@ -0,0 +1 @@
+x = 1
diff --git a/old.py b/old.py
--- a/old.py
+++ /dev/null
@@ -1 +0,0 @@
-x = 1
"""


@pytest.fixture
def repository(project: Path) -> Path:
    """Go to a repository whose only commit has a chat log that keeps users apart."""
    (project / "pyproject.toml").unlink()
    (project / "mine.py").write_text(MINE, "utf-8")
    write(project, RIGHT)
    git(project, "init", "--quiet")
    (project / ".git" / "info" / "exclude").write_text("reports\n__pycache__\n", "utf-8")
    commit(project)
    return project


def write(folder: Path, key: str, number: int = 1) -> None:
    (folder / "chat.py").write_text(SYSTEM.format(number=number, key=key), "utf-8")


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    names = ("-c", "user.name=a", "-c", "user.email=a@b.example")
    git(folder, *names, "commit", "--quiet", "--message", "a")


def reported() -> Record:
    """Return the record of the only campaign."""
    (folder,) = Path("reports/runs").iterdir()
    return read_record(folder)


def night(**lines: dict[str, str]) -> dict[str, Any]:
    """Return what the corpus has of a night in which these scenarios ran these lines."""
    reached = [
        {"scenario": f"mine:{name}", "driver": "mine:Driver", "lines": ran}
        for name, ran in lines.items()
    ]
    return {"began": "2026-01-01T00:00:00Z", "reached": reached}


def names(changed: dict[str, set[int]], *nights: dict[str, Any]) -> list[str]:
    files = {file: frozenset(lines) for file, lines in changed.items()}
    return [each.name for each in touched([entry("one"), entry("two")], Changed(files), nights)]


def test_a_diff_says_which_lines_were_changed() -> None:
    """By their old numbers; what is put between two lines changes both."""
    assert parsed(DIFF) == {
        "chat.py": frozenset({3, 10, 11, 20, 21}),
        "new.py": frozenset({0, 1}),
        "old.py": frozenset({1}),
    }


def test_only_what_reaches_the_change_is_played() -> None:
    """The last night that knows decides; one that was never played is played."""
    known = night(One={"chat.py": "1-9"}, Two={"chat.py": "10-20"})

    assert names({"chat.py": {12}}, known) == ["two"]
    assert names({"chat.py": {9, 10}}, known) == ["one", "two"]
    assert names({"chat.py": {12}}, known, {"began": "later", "reached": "?"}) == ["two"]
    assert names({"chat.py": {12}}, night(One={"chat.py": "12"})) == ["one", "two"]
    assert names({}, known) == []


def test_where_nobody_knows_all_is_played() -> None:
    """No night, a file that no run reached, lines that only an import runs, a damaged night."""
    known = night(One={"chat.py": "1-9"}, Two={"other.py": "1"})

    assert names({"chat.py": {1}}) == ["one", "two"]
    assert names({"new.py": set()}, known) == ["one", "two"]
    assert names({"chat.py": {90}}, known) == ["one"]
    assert names({"chat.py": {1}}, night(One={"chat.py": "?"}, Two={"chat.py": "5"})) == ["one"]


def test_changes_are_those_of_the_files_as_they_are(repository: Path) -> None:
    """Committed or not, new or gone; prose is left out."""
    write(repository, WRONG)
    (repository / "new.py").write_text("x = 1\n", "utf-8")
    (repository / "README.md").write_text("prose\n", "utf-8")

    changed = changed_since("HEAD").files

    assert set(changed) == {"chat.py", "new.py"}
    assert len(changed["chat.py"]) == 1


def test_what_the_change_brought_fails(repository: Path) -> None:
    """A failure that the revision does not have is new, and told so."""
    write(repository, WRONG)

    result = run(*FUZZ, "--since", "HEAD")

    assert result.exit_code == 1
    assert "changed since HEAD: 1 file; scenarios that reach it: chat" in result.output
    assert "isolation-read: new with this change" in result.output
    assert [(each.signature, each.status) for each in reported().failures] == [
        ("isolation-read", "new")
    ]


def test_what_was_there_before_is_counted(repository: Path) -> None:
    """It fails no change that did not bring it; the user's files and worktrees stay as they are."""
    write(repository, WRONG)
    commit(repository)
    write(repository, WRONG, number=2)

    result = run(*FUZZ, "--since", "HEAD")

    assert result.exit_code == 0, result.output
    assert "isolation-read: was there before" in result.output
    assert "chat: was there before: isolation-read (" in result.output
    assert [each.status for each in reported().failures] == ["before"]
    assert reported().verdict == "passed: no unaccepted failure"
    assert git(repository, "worktree", "list").count("\n") == 0


def test_what_no_scenario_reaches_needs_no_play(repository: Path) -> None:
    """Nothing differs: nothing is played, and nothing fails."""
    result = run(*FUZZ, "--since", "HEAD")

    assert result.exit_code == 0
    assert result.output == "changed since HEAD: 0 files; scenarios that reach it: none\n"
    assert not list(Path("reports/runs").iterdir())


def test_the_corpus_is_only_read(repository: Path) -> None:
    """A change under review adds nothing to what the nights share."""
    write(repository, WRONG)
    Corpus(Path("reports/corpus")).keep_night("n", night())

    run(*FUZZ, "--since", "HEAD")

    kept = [path for path in Path("reports/corpus").rglob("*") if path.is_file()]
    assert [path.name for path in kept] == ["n.json"]


def test_a_revision_that_is_none_exits_with_2(repository: Path) -> None:
    """What was given, and what to write."""
    result = run(*FUZZ, "--since", "nowhere")

    assert result.exit_code == 2
    assert "nowhere is no commit of" in " ".join(result.output.split())
