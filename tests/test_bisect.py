"""`threadline bisect`: the commit that brought a failure is found, and nothing is touched."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import Result
from threadline.campaign.bisect import Bisection, Found, Verdict, doubling

from tests.doc_pages import page
from tests.history import MINE, RIGHT, SYSTEM, WRONG, git, joined_from, write_history
from tests.project import GUARD_S, heard, run

HASH = re.compile(r"\b[0-9a-f]{12,40}\b")
REPLAYS_MAX = 8  # of 40 commits


@pytest.fixture
def repository(project: Path) -> Path:
    """Go to a folder that becomes a repository; its own modules alone are its."""
    (project / "pyproject.toml").unlink()
    return project


def state(folder: Path) -> list[str]:
    """Return all that a bisection must leave as it was."""
    return [
        git(folder, "status", "--porcelain"),
        git(folder, "rev-parse", "HEAD"),
        git(folder, "symbolic-ref", "HEAD"),
        git(folder, "for-each-ref"),
        git(folder, "stash", "list"),
        git(folder, "worktree", "list"),
        git(folder, "ls-files", "--stage"),
        *sorted(path.name for path in (folder / ".git").iterdir()),
    ]


def replays(result: Result) -> list[str]:
    """Return what came at each commit, in the order of the replays."""
    return re.findall(r"^  (fails|agrees|skipped) ", result.output, re.MULTILINE)


def test_finds_the_commit_that_brought_a_failure(repository: Path) -> None:
    """Of 40 commits the one is named in at most 8 replays, with the line that differs."""
    commits = write_history(repository, joined_from(23))

    result = run("bisect", "trace.jsonl", "--good", commits[0])

    assert result.exit_code == 0, result.output
    assert result.output.endswith(
        f"{commits[22]} brought the failure\n"
        "  date:    2023-12-07\n"
        "  subject: change 23\n"
        "  step 2, read(user='ana', thread='b:t')\n"
        "  before:  ok, []\n"
        "  after:   ok, ['m1']\n"
    )
    assert len(replays(result)) <= REPLAYS_MAX


def test_the_example_on_its_page_is_what_is_printed(repository: Path) -> None:
    """The page about traces shows this bisection, but for the hashes."""
    commits = write_history(repository, joined_from(23))
    git(repository, "tag", "v1.2", commits[0])
    block = page("docs/traces.md").block("trace.jsonl\n  fails")
    words = next(words for words in page("docs/traces.md").commands() if "bisect" in words)

    result = run(*words[1:])

    assert HASH.sub("HASH", result.output.rstrip("\n")) == HASH.sub("HASH", block)


@pytest.mark.slow
def test_finds_the_commit_that_fixed_it(repository: Path) -> None:
    """With --fixed, it is the first commit at which the trace agrees again."""
    commits = write_history(repository, joined_from(1, 30))

    result = run("bisect", "trace.jsonl", "--fixed", "--bad", commits[0])

    assert result.exit_code == 0, result.output
    assert f"{commits[30]} fixed the failure\n" in result.output
    assert "  before:  ok, ['m1']\n  after:   ok, []\n" in result.output
    assert len(replays(result)) <= REPLAYS_MAX


@pytest.mark.slow
@pytest.mark.parametrize("words", [[], ["--fixed"]], ids=["brought", "fixed"])
def test_goes_back_by_itself(repository: Path, words: list[str]) -> None:
    """Without an older commit, the trace is replayed 1, 2, 4, 8 ... commits before."""
    commits = write_history(repository, joined_from(*((1, 33) if words else (34, 40))))

    result = run("bisect", "trace.jsonl", *words)

    assert result.exit_code == 0, result.output
    assert f"{commits[33]} " in result.output
    assert len(replays(result)) <= REPLAYS_MAX


@pytest.mark.slow
def test_a_commit_that_cannot_be_imported_is_skipped(repository: Path) -> None:
    """A system that does not import says nothing; the search goes on beside it."""
    whole = joined_from(23)

    def files(number: int) -> Mapping[str, str]:
        return {**whole(number), **({"chat.py": "def"} if number in (20, 21) else {})}

    commits = write_history(repository, files)

    result = run("bisect", "trace.jsonl", "--good", commits[0])

    assert result.exit_code == 0, result.output
    assert "skipped" in replays(result)
    assert "cannot be judged: BadName: 'mine:MyChat' cannot be imported" in result.output
    assert f"{commits[22]} brought the failure" in result.output


@pytest.mark.slow
def test_says_which_commits_it_can_be(repository: Path) -> None:
    """Where those before the first failing one cannot be judged, it is one of them."""
    whole = joined_from(23)

    def files(number: int) -> Mapping[str, str]:
        return {**whole(number), **({"chat.py": "def"} if number in (21, 22) else {})}

    commits = write_history(repository, files)

    result = run("bisect", "trace.jsonl", "--good", commits[0])

    assert result.exit_code == 0, result.output
    assert "one of 3 commits brought the failure; some cannot be judged:\n" in result.output
    assert [sha in result.output for sha in commits[19:24]] == [False, True, True, True, False]


@pytest.mark.slow
def test_a_driver_that_does_not_fit_is_taken_from_the_commit_too(repository: Path) -> None:
    """Where the system was called otherwise, driver and model are taken from there as well."""
    whole = joined_from(12)

    def files(number: int) -> Mapping[str, str]:
        name = "Log" if number < 25 else "ChatLog"
        return {file: text.replace("ChatLog", name) for file, text in whole(number).items()}

    commits = write_history(repository, files)

    result = run("bisect", "trace.jsonl", "--good", commits[0])

    assert result.exit_code == 0, result.output
    assert f"{commits[11]} brought the failure" in result.output
    assert "with all from there" in result.output
    assert len(replays(result)) <= REPLAYS_MAX


@pytest.mark.slow
def test_the_driver_of_now_is_used_where_it_fits(repository: Path) -> None:
    """A driver that came after the failure, and is not in the old commits, still judges them."""
    whole = joined_from(23)

    def files(number: int) -> Mapping[str, str]:
        return {"chat.py": whole(number)["chat.py"]} if number < 39 else whole(number)

    commits = write_history(repository, files)

    result = run("bisect", "trace.jsonl", "--good", commits[0])

    assert result.exit_code == 0, result.output
    assert f"{commits[22]} brought the failure" in result.output
    assert "all from there" not in result.output


@pytest.mark.slow
def test_a_hang_at_an_old_commit_is_an_outcome(repository: Path) -> None:
    """A trace that ends the process is replayed there in one of its own, and bisected as well."""
    dies = "(_ for _ in ()).throw(0) if 0 else __import__('os')._exit(3)"

    def files(number: int) -> Mapping[str, str]:
        key = dies if number >= 30 else RIGHT
        return {"chat.py": SYSTEM.format(number=number, key=key), "mine.py": MINE}

    commits = write_history(repository, files)

    result = run("bisect", "trace.jsonl", "--good", commits[0])

    assert result.exit_code == 0, result.output
    assert f"{commits[29]} brought the failure" in result.output
    assert "after:   crashed (the process ended: exit status 3)" in result.output


def test_nothing_of_the_users_is_touched(repository: Path) -> None:
    """Files, index, HEAD, branches, stash and worktrees are as they were before."""
    commits = write_history(repository, joined_from(23))
    chat = repository / "chat.py"
    chat.write_text(f"{chat.read_text('utf-8')}\n# mine\n", "utf-8")
    (repository / "new.py").write_text("", "utf-8")
    git(repository, "add", "new.py")
    before = state(repository)

    result = run("bisect", "trace.jsonl", "--good", commits[0])

    assert f"{commits[22]} brought the failure" in result.output
    assert "there are uncommitted changes: the system is HEAD's here" in result.output
    assert state(repository) == before


WAITS = """
import os
from pathlib import Path

with Path(os.environ["PIPE"]).open("w") as pipe:
    pipe.write("here")
while True:
    pass
"""


def test_interrupted_it_leaves_nothing_behind(repository: Path) -> None:
    """Ctrl-C in the middle of a replay removes the worktree, and ends the replay."""
    whole = joined_from(23)

    def files(number: int) -> Mapping[str, str]:
        texts = whole(number)
        return {**texts, "chat.py": texts["chat.py"] + (WAITS if number == 1 else "")}

    commits = write_history(repository, files)
    pipe = repository / "pipe"
    os.mkfifo(pipe)
    before = state(repository)
    words = [sys.executable, "-m", "threadline", "bisect", "trace.jsonl", "--good", commits[0]]
    environment = {**os.environ, "PIPE": str(pipe)}
    command = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE)

    assert heard(pipe) == "here"
    command.send_signal(signal.SIGINT)
    command.communicate(timeout=GUARD_S)

    assert command.returncode != 0
    assert state(repository) == before


def test_a_failure_of_uncommitted_changes_is_told(repository: Path) -> None:
    """Where HEAD agrees and the files as they are do not, no commit has brought it."""
    write_history(repository, joined_from(99))
    (repository / "chat.py").write_text(SYSTEM.format(number=41, key=WRONG), "utf-8")

    result = run("bisect", "trace.jsonl")

    assert result.exit_code == 1
    assert "the failure comes with changes that are not committed: see git diff" in result.output


def test_a_trace_that_agrees_has_no_such_commit(repository: Path) -> None:
    """Nothing is searched for where the trace does not fail."""
    write_history(repository, joined_from(99))

    result = run("bisect", "trace.jsonl")

    assert result.exit_code == 1
    assert "there is nothing to find" in result.output


@pytest.mark.slow
def test_a_failure_as_old_as_the_history_is_told(repository: Path) -> None:
    """Where it fails at the first commit too, no commit has brought it."""
    write_history(repository, joined_from(1))

    result = run("bisect", "trace.jsonl")

    assert result.exit_code == 1
    assert "it fails at every commit that can be judged" in result.output


def test_no_such_revision(repository: Path) -> None:
    """A revision that is none is told with what to write, and exits with 2."""
    write_history(repository, joined_from(23))

    result = run("bisect", "trace.jsonl", "--good", "v9")

    assert result.exit_code == 2
    assert "'v9' is no commit of" in result.output or "v9 is no commit of" in result.output
    assert "as in HEAD~20" in result.output


def test_no_repository(repository: Path) -> None:
    """Outside of a repository the command says so, and exits with 2."""
    write_history(repository, joined_from(23))
    (repository / ".git").rename(repository / "gone")

    result = run("bisect", "trace.jsonl")

    assert result.exit_code == 2
    assert "is in no git repository with a working tree" in result.output


@pytest.mark.parametrize("first_new", range(39))
def test_halves_in_as_few_verdicts_as_can_be(first_new: int) -> None:
    """Whichever of 39 commits it is, 6 verdicts find it: with the two ends, 8 replays."""
    asked: list[str] = []

    def judge(sha: str) -> Verdict:
        asked.append(sha)
        return Verdict.NEW if int(sha) >= first_new else Verdict.OLD

    found = Bisection([*map(str, range(39))], judge).found()

    assert found == Found((str(first_new),))
    assert len(asked) <= 6


def test_goes_back_to_the_first_commit() -> None:
    """The steps back double, and end at the first commit of the history."""
    assert [*doubling(40)] == [1, 2, 4, 8, 16, 32, 39]
    assert [*doubling(1)] == []
