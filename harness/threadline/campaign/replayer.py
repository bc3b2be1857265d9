"""A process that replays one trace: it reads what to play from a file, and writes what came."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from ..descriptor import leash
from ..failure import Divergence, Failure
from ..history import Step
from ..leaks.round_trip import RoundTrips
from ..loading import Target, load_target
from ..lockstep.recorders import warnings_recorded
from ..lockstep.run import Runs, Skipped, play
from ..printable import quoted
from ..trace import Recorder, Trace, read, read_header
from ..whole_file import write_whole
from .sides import Sides

Line = tuple[int, str, str]  # of a step: its number, its operation, its outcome


@dataclass(frozen=True, slots=True)
class Errand:
    """What to replay, as names that travel as JSON.

    `then` is the checkout, "" for the user's own files alone; `folder` is where the command was
    given, relative to `now`. `own` and `system` are as in Sides. The run is recorded in `running`,
    and what came of it is written to `answer`.
    """

    trace: str
    driver: str
    now: str
    folder: str
    answer: str
    running: str
    then: str = ""
    own: Sequence[str] = ()
    system: Sequence[str] | None = None

    @property
    def is_whole(self) -> bool:
        """Return whether all is taken from the checkout."""
        return self.system is not None and "" in self.system


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a replay: a signature, "" where the system agrees, and its steps.

    `sides` are the lines of the model beside the system. `unjudged` says why there is no verdict.
    """

    signature: str = ""
    steps: Sequence[Line] = ()
    sides: Sequence[str] = ()
    unjudged: str = ""


def answer_to(errand: Errand) -> Answer:
    """Replay a trace in this process, and return what came of it."""
    try:
        _take_sides(errand)
        header = read_header(Path(errand.trace))
        target = load_target(_driver(errand), header.settings)
        stored = read(Path(errand.trace), target.model.kinds())
        if target.model.name != header.contract:
            return Answer(unjudged=f"its model is {quoted(target.model.name)}")
        target.new_model(header.settings)
        return _played(target, stored, Path(errand.running))
    except Exception as error:  # of the system's code, or of a driver that does not fit it
        return Answer(unjudged=quoted(f"{type(error).__name__}: {error}"))


def _take_sides(errand: Errand) -> None:
    """Go to where the system finds its files, and look for modules on both sides from now on."""
    now = Path(errand.now)
    here = now / errand.folder
    if not errand.then:
        os.chdir(here)
        return
    then = Path(errand.then)
    system = None if errand.system is None else tuple(errand.system)
    if not errand.is_whole:
        sys.path.insert(0, str(here))
    sys.meta_path.insert(0, Sides(now, then, tuple(errand.own), system))
    beside = then / errand.folder
    os.chdir(beside if beside.is_dir() else then)


def _driver(errand: Errand) -> str:
    """Return the driver's name; one that is a path is the user's own file, unless all is not."""
    module, _, name = errand.driver.rpartition(":")
    if module.endswith(".py") and errand.then and not errand.is_whole:
        return f"{Path(errand.now, errand.folder, module)}:{name}"
    return errand.driver


def _played(target: Target, stored: Trace, running: Path) -> Answer:
    lines: list[Line] = []
    with warnings_recorded() as warned, closing(Recorder(running)) as recorder:
        runs = Runs(target, recorder, warned, after_run=RoundTrips(alive=recorder.touch))
        try:
            with runs.begin(stored.header) as lockstep:
                played = play(lockstep, stored.operations)
                lines.extend(_line(step) for step in played if not isinstance(step, Skipped))
                if stored.header.round_trip:
                    runs.look(lockstep, stored.header)
        except Divergence as divergence:
            return _failed(divergence.failure, lines)
        finally:
            runs.close()
    return Answer("", lines)


def _failed(failure: Failure, lines: list[Line]) -> Answer:
    return Answer(str(failure.signature), [*lines, _line(failure.step)], failure.sides())


def _line(step: Step) -> Line:
    return step.number, str(step.operation), str(step.actual)


def main() -> None:
    """Do the errand in the file that is named first, and write the answer; then end at once."""
    leash(int(sys.argv[2]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who has started this
    errand = Errand(**json.loads(Path(sys.argv[1]).read_text("utf-8")))
    answer = answer_to(errand)
    write_whole(Path(errand.answer), json.dumps(asdict(answer)).encode("utf-8"))
    os._exit(0)  # not exit: a thread that the system left must not hold us


if __name__ == "__main__":
    main()
