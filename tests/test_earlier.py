"""A trace replayed on an earlier revision: which files are taken from where, and what came."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from threadline.campaign.checkout import PREFIX, BadRevision, checked_out, repository
from threadline.campaign.earlier import MIXED, WHOLE, Earlier, came_before, earlier

from tests.history import (
    MINE,
    RIGHT,
    SIGNATURE,
    SYSTEM,
    WRONG,
    Files,
    git,
    joined_from,
    write_history,
)

TRACE = Path("trace.jsonl")
OLD = "HEAD~1"


@pytest.fixture
def folder(project: Path) -> Path:
    """Go to a folder that becomes a repository; its own modules alone are its."""
    (project / "pyproject.toml").unlink()
    return project


def laid_out(chat: str, mine: str, imported: str) -> Files:
    """Return two commits, the second with the bug and the driver, whose files have these names."""

    def files(number: int) -> dict[str, str]:
        system = {chat: SYSTEM.format(number=number, key=WRONG if number == 2 else RIGHT)}
        driver = {mine: MINE.replace("from chat import", f"from {imported} import")}
        return {**system, **(driver if number == 2 else {})}

    return files


def named(driver: str) -> None:
    """Write another driver's name into the trace."""
    TRACE.write_text(TRACE.read_text("ascii").replace("mine:MyChat", driver), "ascii")


def came_at_old(replays: Earlier, driver: str = "") -> tuple[bool, str]:
    came, replayed = came_before(replays, TRACE, OLD, driver)
    assert replayed.unjudged == ""
    return came, replayed.loaded


@pytest.mark.parametrize(
    ("chat", "mine", "imported", "driver"),
    [
        ("chat.py", "mine.py", "chat", "mine:MyChat"),
        ("chat.py", "mine.py", "chat", "./mine.py:MyChat"),
        ("chat/__init__.py", "doors/mine.py", "chat", "doors.mine:MyChat"),
        ("app/chat.py", "app/testing/mine.py", "app.chat", "app.testing.mine:MyChat"),
        ("app/inner/chat.py", "app/mine.py", "app.inner.chat", "app.mine:MyChat"),
    ],
)
def test_only_the_system_is_taken_from_there(
    folder: Path, chat: str, mine: str, imported: str, driver: str
) -> None:
    """In each layout the system is the old one, beside the driver of now."""
    write_history(folder, laid_out(chat, mine, imported), 2)
    named(driver)

    with earlier(OLD) as replays:
        assert came_at_old(replays) == (False, MIXED)
        assert came_before(replays, TRACE, "HEAD")[0] is True


def test_a_system_in_a_folder_of_the_path_is_found(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A system below src/, as it is installed for development, is taken from there as well."""
    write_history(folder, laid_out("src/chat.py", "mine.py", "chat"), 2)
    monkeypatch.setenv("PYTHONPATH", str(folder / "src"))
    monkeypatch.syspath_prepend(folder / "src")

    with earlier(OLD) as replays:
        assert came_at_old(replays) == (False, MIXED)


def test_a_system_within_its_drivers_file_is_taken_whole(folder: Path) -> None:
    """Where both are in one file there is nothing to mix."""

    def files(number: int) -> dict[str, str]:
        system = SYSTEM.format(number=number, key=WRONG if number == 2 else RIGHT)
        return {"mine.py": system + MINE.replace("from chat import ChatLog\n", "")}

    write_history(folder, files, 2)

    with earlier(OLD) as replays:
        assert came_at_old(replays) == (False, WHOLE)


def test_the_system_can_be_named(folder: Path) -> None:
    """With --system, these files alone are taken from the revision: here none that matters."""
    write_history(folder, joined_from(2), 2)

    with earlier(OLD, ("chat.py",)) as replays:
        assert came_at_old(replays) == (False, MIXED)
    with earlier(OLD, ("docs",)) as replays:
        assert came_at_old(replays) == (True, MIXED)


@pytest.mark.slow
def test_one_worktree_serves_many_replays(folder: Path) -> None:
    """Revision after revision in one folder, which is moved and is gone at the end."""
    commits = write_history(folder, joined_from(3), 4)

    with earlier(OLD) as replays:
        came = [came_before(replays, TRACE, sha)[0] for sha in [*commits, *reversed(commits)]]
        place = replays.checkout.folder

    assert came == [False, False, True, True, True, True, False, False]
    assert not place.exists()
    assert not place.parent.exists()
    assert len(git(folder, "worktree", "list").splitlines()) == 1


def test_what_came_is_told(folder: Path) -> None:
    """The signature, the commit, each step with its outcome, and both sides where they differ."""
    commits = write_history(folder, joined_from(1), 2)

    with earlier(OLD) as replays:
        _, came = came_before(replays, TRACE, OLD)

    assert (came.revision, came.signature) == (commits[0], SIGNATURE)
    assert came.steps == (
        (1, "say(user='ana:b', thread='t', text='m1')", "ok"),
        (2, "read(user='ana', thread='b:t')", "ok, ['m1']"),
    )
    assert came.sides == ("  model:   ok, []", "  system:  ok, ['m1']")


def test_a_hang_there_is_an_outcome(folder: Path) -> None:
    """A step that does not come back is ended, and is how the trace fails there."""

    def files(number: int) -> dict[str, str]:
        key = "__import__('threading').Event().wait()" if number == 1 else RIGHT
        return {"chat.py": SYSTEM.format(number=number, key=key), "mine.py": MINE}

    write_history(folder, files, 2)

    with earlier(OLD, hang_s=1.0) as replays:
        came, replayed = came_before(replays, TRACE, OLD)

    assert not came
    assert replayed.signature.startswith("liveness-say")
    assert replayed.steps[-1][2] == "did not come back within 1 s"


def test_what_loads_in_no_way_is_not_judged(folder: Path) -> None:
    """A revision that cannot be imported says nothing: no failure was there before."""
    write_history(folder, lambda n: {"mine.py": MINE, "chat.py": "def" if n == 1 else "x"}, 2)
    (folder / "chat.py").write_text(SYSTEM.format(number=3, key=RIGHT), "utf-8")

    with earlier(OLD) as replays:
        came, replayed = came_before(replays, TRACE, OLD)

    assert not came
    assert not replayed.agrees
    assert "cannot be imported" in replayed.unjudged


def test_what_a_killed_process_left_is_removed(folder: Path) -> None:
    """The checkout of a process that has ended is removed by the next; another's is left."""
    write_history(folder, joined_from(2), 2)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    places = [folder.parent / f"{PREFIX}{pid}-x" / "tree" for pid in (ended.pid, os.getpid())]
    for place in places:
        git(folder, "worktree", "add", "--quiet", "--detach", str(place), OLD)

    with earlier(OLD):
        pass

    assert [place.exists() for place in places] == [False, True]


def test_a_clone_without_its_history_is_told(folder: Path) -> None:
    """A revision that a shallow clone does not have is told, with what brings it."""
    source = folder / "source"
    source.mkdir()
    commits = write_history(source, joined_from(2), 3)
    clone = folder / "clone"
    git(folder, "clone", "--quiet", "--depth", "1", f"file://{source}", str(clone))

    with pytest.raises(BadRevision, match="is shallow, and git fetch --unshallow brings"):
        repository(clone).sha(commits[0])


def test_git_has_to_be_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without git nothing can be checked out, and that is what is said."""
    monkeypatch.setenv("PATH", str(folder))

    with pytest.raises(BadRevision, match="git is not installed"):
        repository(folder)


def test_no_hook_of_the_users_is_run(folder: Path) -> None:
    """A checkout for a replay is none of the user's: their post-checkout hook stays quiet."""
    commits = write_history(folder, joined_from(2), 2)
    hook = folder / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {folder}/ran\n", "utf-8")
    hook.chmod(0o755)
    of = repository(folder)

    with checked_out(of, commits[0]) as checkout:
        checkout.move(commits[1])

    assert not (folder / "ran").exists()
