"""`threadline bisect`: the commit that brought a failure, or that fixed it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from ..campaign.bisect import Bisection, Found, Verdict, doubling, verdict_of
from ..campaign.checkout import BadRevision
from ..campaign.earlier import MIXED, Earlier, Replayed, earlier
from ..history import count
from ..loading import BadName
from ..printable import printable, quoted
from ..trace import read_header
from .cli_names import tell, usage_errors
from .replay import driver_option, trace_argument
from .stored import opened

HASH = 12  # characters of a hash in a line


@click.command()
@trace_argument
@driver_option
@click.option("--good", metavar="REV", help="A commit at which the trace agrees.")
@click.option("--bad", metavar="REV", help="A commit at which the trace fails: HEAD.")
@click.option("--fixed", is_flag=True, help="Find the commit that fixed it: --good is HEAD then.")
@click.option("--system", multiple=True, metavar="FOLDER", help="Where the system is.")
@usage_errors
def bisect(
    trace: Path,
    driver: str | None,
    good: str | None,
    bad: str | None,
    *,
    fixed: bool,
    system: tuple[str, ...],
) -> None:
    """Find the commit that brought a failure.

    Replays TRACE at commits between two, in a temporary worktree: the system from each commit,
    the driver and the model from now where they load with it. Without an older commit, goes back
    by 1, 2, 4, 8 ... commits until the outcome is another. Your files, index and branches are
    not touched.

    Exits with 0 where the commit is found, with 1 where it is not: the trace does not fail now, or
    fails at every commit, or only with changes that are not committed.
    """
    opened(trace, driver)
    old, new = (bad, good) if fixed else (good, bad)
    try:
        with earlier(new or "HEAD", system) as replays:
            search = Search(replays, trace, driver or "", read_header(trace).signature, fixed=fixed)
            status = search.go(old, new or "HEAD")
    except BadRevision as error:
        raise BadName(str(error)) from error
    sys.exit(status)


@dataclass(slots=True)
class Search:
    """One bisection, told line by line. `signature` is how the trace fails where it does."""

    replays: Earlier
    trace: Path
    driver: str
    signature: str
    fixed: bool
    came: dict[str, Replayed] = field(default_factory=dict)

    def go(self, old: str | None, new: str) -> int:
        """Find the commit after `old` and up to `new`, tell it, and return the exit status."""
        tell(printable(str(self.trace)))
        newest = self.replays.of.sha(new)
        oldest = self.replays.of.sha(old) if old else None
        commits = self.replays.of.between(oldest, newest) if oldest else []
        if not self._is_new(newest):
            return 1
        if oldest is None:
            commits = self._doubled(self.replays.of.line(newest))
        elif self._judged(oldest) is not Verdict.OLD:
            end = "fail" if self.fixed else "agree"
            tell(f"the trace does not {end} at {oldest[:HASH]}: give an older commit")
            return 1
        if not commits:
            did = "agrees" if self.fixed else "fails"
            tell(f"it {did} at every commit that can be judged{self.replays.of.remark()}")
            return 1
        self._tell_found(Bisection(commits, self._judged).found())
        return 0

    def _is_new(self, newest: str) -> bool:
        """Return whether the newer end is as it must be; tell why not, and of what is changed."""
        verdict = self._judged(newest, is_first=True)
        changed = newest == self.replays.of.sha("HEAD") and self.replays.of.is_changed()
        if changed:
            tell("  there are uncommitted changes: the system is HEAD's here, the driver yours")
        if verdict is Verdict.NEW:
            return True
        if changed and not self.fixed:
            now = self.replays.replay_now(self.trace, self.driver)
            self._tell_line("now", now, "the files as they are")
            if now.fails_as(self.signature):
                tell("the failure comes with changes that are not committed: see git diff")
                return False
        end = "agree" if self.fixed else "fail"
        tell(f"the trace does not {end} at {newest[:HASH]}: there is nothing to find")
        return False

    def _doubled(self, line: Sequence[str]) -> list[str]:
        """Return the commits after the first old one that is come to, going back; [] for none.

        `line` is newest first, and begins with one that is new.
        """
        new = 0
        for place in doubling(len(line)):
            verdict = self._judged(line[place])
            if verdict is Verdict.OLD:
                return [*reversed(line[new:place])]
            if verdict is Verdict.NEW:
                new = place
        return []

    def _judged(self, sha: str, *, is_first: bool = False) -> Verdict:
        """Replay the trace at a commit, tell what came, and return what the commit is."""
        came = self.replays.replay(self.trace, sha, self.driver, self.signature)
        self.came[sha] = came
        if is_first and not self.fixed and came.signature:
            self.signature = came.signature
        commit = self.replays.of.commit(sha)
        self._tell_line(sha[:HASH], came, f"{commit.day}  {commit.subject}")
        return verdict_of(came, self.signature, fixed=self.fixed)

    def _tell_line(self, name: str, came: Replayed, about: str) -> None:
        said = "agrees" if came.agrees else "fails" if came.fails_as(self.signature) else "skipped"
        tell(f"  {said:<8} {name:<{HASH}}  {about}")
        if said == "skipped":
            why = came.unjudged or f"it fails as {came.signature}"
            tell(f"           cannot be judged: {why}")
        elif came.loaded != MIXED:
            tell(f"           with {came.loaded}")

    def _tell_found(self, found: Found) -> None:
        """Print the commit, and the step whose outcome is another before and after it."""
        *before, last = found.commits
        what = "fixed the failure" if self.fixed else "brought the failure"
        tell("")
        if before:
            tell(f"one of {count(len(found.commits), 'commit')} {what}; some cannot be judged:")
        for sha in found.commits:
            commit = self.replays.of.commit(sha)
            tell(commit.sha if before else f"{commit.sha} {what}")
            tell(f"  date:    {commit.day}", f"  subject: {commit.subject}")
        self._tell_difference(last)

    def _tell_difference(self, first_new: str) -> None:
        new = self.came[first_new]
        old = [
            came
            for came in self.came.values()
            if verdict_of(came, self.signature, fixed=self.fixed) is Verdict.OLD
        ]
        failing, agreeing = (old[-1], new) if self.fixed else (new, old[-1])
        number, asked, came = failing.steps[-1]
        right = agreeing.outcome_at(number)
        first, second = (came, right) if self.fixed else (right, came)
        if came == right:
            tell(f"  step {number}, {asked}, in the commit that fails:", *failing.sides)
            return
        tell(
            f"  step {number}, {asked}",
            f"  before:  {quoted(first)}",
            f"  after:   {quoted(second)}",
        )
