"""A checkout of earlier revisions: a temporary git worktree, apart from the user's own files."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from ..printable import quoted

PREFIX = "threadline-at-"  # of the folder of a checkout; the id of its process comes next
SHALLOW = "; this clone is shallow, and git fetch --unshallow brings the whole history"


class BadRevision(ValueError):
    """A revision that cannot be had; says why, and what to write or do."""


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit as it is shown: its hash, the day of its author, and its subject."""

    sha: str
    day: str
    subject: str


@dataclass(frozen=True, slots=True)
class Repository:
    """The git repository of a folder; nothing here changes its index, branches or files."""

    root: Path

    def git(self, *words: str, folder: Path | None = None) -> str:
        """Return what git prints; raises BadRevision with what it complains of.

        No hook is run, and no variable of a git that has started us leads it elsewhere.
        """
        environment = {n: v for n, v in os.environ.items() if not n.startswith("GIT_")}
        command = ["git", "-c", f"core.hooksPath={os.devnull}", "-C", str(folder or self.root)]
        try:
            done = subprocess.run(
                [*command, *words],
                capture_output=True,
                check=False,
                env={**environment, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"},
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is ours, and must not end a removal half way
            )
        except FileNotFoundError:
            raise BadRevision("git is not installed, and earlier revisions need it") from None
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip() or f"status {done.returncode}"
            raise BadRevision(f"git {words[0]}: {quoted(said)}")
        return done.stdout.decode("utf-8", "replace").rstrip("\n")

    def sha(self, revision: str) -> str:
        """Return the hash of the commit that a revision means; raises BadRevision for none."""
        try:
            return self.git("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
        except BadRevision as error:
            if "not installed" in str(error):
                raise
            raise BadRevision(
                f"{quoted(revision)} is no commit of {self.root}; write a hash, a tag or a branch, "
                f"as in HEAD~20{self.remark()}"
            ) from None

    def remark(self) -> str:
        """Return what to say of a history that is not whole; "" where it is."""
        is_shallow = self.git("rev-parse", "--is-shallow-repository") == "true"
        return SHALLOW if is_shallow else ""

    def is_changed(self) -> bool:
        """Return whether a file that git knows differs from the last commit."""
        words = ("--no-optional-locks", "status", "--porcelain", "--untracked-files=no")
        return bool(self.git(*words))

    def line(self, newest: str) -> list[str]:
        """Return the hashes of a commit and those before it, newest first, along first parents."""
        return self.git("rev-list", "--first-parent", newest).split()

    def between(self, oldest: str, newest: str) -> list[str]:
        """Return the hashes after one commit up to another, oldest first, along first parents.

        Raises BadRevision where the first does not come before the second.
        """
        if self.git("merge-base", oldest, newest) != oldest or oldest == newest:
            raise BadRevision(f"{oldest[:12]} does not come before {newest[:12]}")
        return self.git("rev-list", "--first-parent", "--reverse", f"{oldest}..{newest}").split()

    def commit(self, sha: str) -> Commit:
        """Return a commit as it is shown."""
        text = self.git("show", "--no-patch", "--date=short", "--format=%H%x00%ad%x00%s", sha)
        return Commit(*text.split("\0", 2))


def repository(folder: Path) -> Repository:
    """Return the repository that a folder is in; raises BadRevision where it is in none."""
    try:
        root = Repository(folder).git("rev-parse", "--show-toplevel")
    except BadRevision as error:
        if "not installed" in str(error):
            raise
        raise BadRevision(
            f"{folder} is in no git repository with a working tree; run it in the project's folder"
        ) from None
    return Repository(Path(root).resolve())


@dataclass(slots=True)
class Checkout:
    """A worktree of its own, which is moved from revision to revision."""

    of: Repository
    folder: Path
    at: str

    def move(self, sha: str) -> None:
        """Check another commit out, and remove what was left behind in the folder."""
        self.of.git("checkout", "--quiet", "--detach", "--force", sha, folder=self.folder)
        self.of.git("clean", "-ffdxq", folder=self.folder)
        self.at = sha


@contextmanager
def checked_out(of: Repository, sha: str) -> Iterator[Checkout]:
    """Check a commit out into a temporary folder, and remove it however the block ends.

    What a process of ours that was killed has left behind is removed first.
    """
    _remove_stale(of)
    parent = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-")).resolve()
    folder = parent / "tree"
    try:
        of.git("worktree", "add", "--quiet", "--detach", str(folder), sha)
        yield Checkout(of, folder, sha)
    finally:
        _remove(of, folder)


def _remove(of: Repository, folder: Path) -> None:
    with suppress(BadRevision):  # where it was not added
        of.git("worktree", "remove", "--force", "--force", str(folder))
    shutil.rmtree(folder.parent, ignore_errors=True)


def _remove_stale(of: Repository) -> None:
    """Remove the checkouts of processes that have ended without removing theirs."""
    for line in of.git("worktree", "list", "--porcelain").splitlines():
        label, _, name = line.partition(" ")
        folder = Path(name)
        if label != "worktree" or not folder.parent.name.startswith(PREFIX):
            continue
        owner = folder.parent.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            _remove(of, folder)
