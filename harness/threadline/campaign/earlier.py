"""A trace replayed on an earlier revision, and whether it failed there in the same way."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ..allowed import target_of
from ..loading import Target, load_target
from ..outcome import Outcome
from ..printable import printable
from ..trace import Header, is_signature_of, read_header
from .checkout import BadRevision, Checkout, Repository, checked_out, repository
from .child import Child, FileWatch
from .isolate import HANG_S, death, hung, last_run, last_step_failure
from .job import START_S
from .replayer import Answer, Errand, Line
from .sides import own_paths

POLL_S = 0.02
MIXED = "the system from there, driver and model from now"
WHOLE = "all from there"
AS_IT_IS = "all as it is now"


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of a trace at a revision: the signature of its failure, "" where it agrees.

    revision: the hash of the commit, "" for the files as they are now. steps: each step that was
    played, with its outcome; the last is where it failed. sides: the model beside the system
    there. loaded: what was taken from the revision. unjudged: why nothing can be said.
    """

    revision: str
    signature: str
    steps: tuple[Line, ...]
    sides: tuple[str, ...]
    loaded: str
    unjudged: str = ""

    @property
    def agrees(self) -> bool:
        return not (self.signature or self.unjudged)

    def fails_as(self, signature: str) -> bool:
        """Return whether it fails so; in any way, where no signature is given."""
        if not (self.signature and signature):
            return bool(self.signature)
        return is_signature_of(signature, self.signature)

    def outcome_at(self, number: int) -> str:
        """Return the outcome of the step of that number; "" where it was not played."""
        return next((outcome for each, _, outcome in self.steps if each == number), "")


@dataclass(slots=True)
class Earlier:
    """Replays traces at revisions of the repository, one after another in one worktree.

    `system` are the files and folders of the system, relative to the current folder; without
    them, the system is all of the project but the driver, the model, the scenario and tests.
    """

    of: Repository
    checkout: Checkout
    scratch: Path
    system: tuple[str, ...] = ()
    hang_s: float = HANG_S

    def replay(self, trace: Path, revision: str, driver: str = "", signature: str = "") -> Replayed:
        """Replay a trace with the system as it was at a revision, in a process of its own.

        Driver, model and scenario are today's, so that the trace means the same. Where these do
        not load with the old system, or the trace fails in another way than by `signature` (the
        header's, unless given), all is taken from the revision. What loads in neither way cannot
        be judged. Raises BadRevision, BadTrace and BadName.
        """
        header = read_header(trace)
        target = _target(trace, header, driver)
        wanted = signature or header.signature
        sha = self.of.sha(revision)
        self.checkout.move(sha)
        errand = self._errand(trace, target)
        own = own_paths(target, header, self.of.root)
        if not (own or self.system):
            return _replayed(sha, self._ask(replace(errand, system=("",)), target), WHOLE)
        system = self._given() if self.system else None
        mixed = _replayed(sha, self._ask(replace(errand, own=own, system=system), target), MIXED)
        if mixed.agrees or mixed.fails_as(wanted):
            return mixed
        self.checkout.move(sha)  # the system may have written into its folder
        whole = _replayed(sha, self._ask(replace(errand, system=("",)), target), WHOLE)
        if whole.unjudged:
            return mixed
        return whole if mixed.unjudged or whole.agrees or whole.fails_as(wanted) else mixed

    def replay_now(self, trace: Path, driver: str = "") -> Replayed:
        """Replay a trace on the files as they are now, those that are not committed too."""
        target = _target(trace, read_header(trace), driver)
        answer = self._ask(replace(self._errand(trace, target), then=""), target)
        return _replayed("", answer, AS_IT_IS)

    def _given(self) -> tuple[str, ...]:
        return tuple(
            Path(each).resolve().relative_to(self.of.root).as_posix() for each in self.system
        )

    def _errand(self, trace: Path, target: Target) -> Errand:
        return Errand(
            str(trace.resolve()),
            target.name,
            str(self.of.root),
            Path.cwd().resolve().relative_to(self.of.root).as_posix(),
            str(self.scratch / "answer.json"),
            str(self.scratch / "running.jsonl"),
            str(self.checkout.folder),
        )

    def _ask(self, errand: Errand, target: Target) -> Answer:
        """Do an errand in a process of its own; its death or its hanging is an outcome."""
        answer, running = Path(errand.answer), Path(errand.running)
        for file in (answer, running):
            file.unlink(missing_ok=True)
        paper = self.scratch / "errand.json"
        paper.write_text(json.dumps(asdict(errand)), "utf-8")
        # No .pyc: two revisions of a file may have the same size and be written in one second.
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        nothing = subprocess.DEVNULL
        streams = {"stdin": nothing, "stdout": nothing, "stderr": nothing}
        child = Child(["threadline.campaign.replayer", str(paper)], env=environment, **streams)
        late: Outcome | None = None
        try:
            late = self._wait(child, running)
        finally:
            status = child.end()
        with suppress(OSError, ValueError):
            said = Answer(**json.loads(answer.read_text("utf-8")))
            return replace(said, steps=[(n, asked, came) for n, asked, came in said.steps])
        return _ended(late or death(status), running, target, has_begun=running.exists())

    def _wait(self, child: Child, running: Path) -> Outcome | None:
        """Wait for a process, and return how it was late, if it was."""
        watch = FileWatch(running)
        while not child.has_ended():
            limit_s = self.hang_s if running.exists() else START_S
            if watch.idle_s() > limit_s:
                return hung(limit_s)
            time.sleep(POLL_S)
        return None


def _ended(end: Outcome, running: Path, target: Target, *, has_begun: bool) -> Answer:
    """Return the answer of a process that gave none, by the last line that it left."""
    run = last_run(running, target) if has_begun else None
    if run is None:
        return Answer(unjudged=f"before the first step, it {end}")
    failure = last_step_failure(run[0], target, end, run[1])
    lines = [(step.number, str(step.operation), str(step.actual)) for step in failure.steps]
    return Answer(str(failure.signature), lines, failure.sides())


def _replayed(revision: str, answer: Answer, loaded: str) -> Replayed:
    steps, sides = tuple(answer.steps), tuple(answer.sides)
    return Replayed(revision, answer.signature, steps, sides, loaded, answer.unjudged)


def _target(trace: Path, header: Header, driver: str) -> Target:
    if driver:
        return load_target(driver, header.settings)
    return target_of(printable(str(trace)), header)


@contextmanager
def earlier(
    revision: str, system: Sequence[str] = (), *, hang_s: float = HANG_S
) -> Iterator[Earlier]:
    """Check a revision of the current folder's repository out, for replays there and elsewhere.

    The worktree is temporary, and gone when the block ends. Raises BadRevision.
    """
    of = repository(Path.cwd())
    for each in system:
        if not Path(each).resolve().is_relative_to(of.root):
            raise BadRevision(f"{each} is not in {of.root}; name a folder of the system below it")
    with (
        checked_out(of, of.sha(revision)) as checkout,
        tempfile.TemporaryDirectory(prefix="threadline-") as scratch,
    ):
        yield Earlier(of, checkout, Path(scratch), tuple(system), hang_s)


def came_before(
    replays: Earlier, trace: Path, revision: str, driver: str = ""
) -> tuple[bool, Replayed]:
    """Return whether a trace fails at a revision as its header says, and what came of it there.

    Where the header has no signature, any failure counts. A trace that cannot be judged there did
    not come before: `unjudged` of what came says why.
    """
    came = replays.replay(trace, revision, driver)
    return came.fails_as(read_header(trace).signature), came
