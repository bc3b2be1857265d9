"""Verdicts: what came of each mutant, and what is sent between the command and its workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .mutants import Mutant

KILLED, SURVIVED, UNREACHED, TIMEOUT = "Killed", "Survived", "NoCoverage", "Timeout"
IGNORED, PENDING = "Ignored", "Pending"  # shown to be equivalent; not tried, as time was over
DETECTED = (KILLED, TIMEOUT)
COUNTED = (*DETECTED, SURVIVED, UNREACHED)  # in the score


@dataclass(frozen=True, slots=True)
class Plan:
    """What is tried, as names and numbers that are sent as JSON.

    `modules` are those of the system. Each mutant has at most `runs` runs of `steps` steps. A step
    that takes longer than `hang_s` seconds is hung. A mutant has no more runs after `whole_s`, and
    is hung after twice as long; the imports and start() of a driver have `start_s`. A mutant whose
    process holds more than `memory_max_mib` is ended. `corpus` is a folder whose stored traces are
    played first. `watches` are files beside the system's, of which it is told which lines are
    reached, and which ways were taken from one to the next.
    """

    driver: str
    scenarios: Sequence[str]
    modules: Sequence[str]
    seed: int = 0
    runs: int = 300
    steps: int = 50
    hang_s: float = 5.0
    whole_s: float = 120.0
    start_s: float = 60.0
    memory_max_mib: float = 2048.0
    corpus: str = ""
    watches: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Reached:
    """Which lines a scenario reaches: by file, each with how many steps were played by then.

    `fails` has the signature by which a run failed though nothing was changed. The rest says what
    the runs came to: how often each outcome of each operation came, the states of the model as
    `packed` numbers, the rules that never fired, each with the reason, with the values that no
    operation had, and the goals not met. `taken` are the ways from one line to the next, in files
    that the plan watches.
    """

    scenario: str
    lines: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    taken: Mapping[str, Sequence[Sequence[int]]] = field(default_factory=dict)
    fails: str = ""
    runs: int = 0
    steps: int = 0
    operations: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    states: str = ""
    unused: Sequence[str] = ()
    unmet: Sequence[str] = ()

    def after(self, mutant: Mutant) -> int | None:
        """Return after how many steps a mutant was reached; None where it was not."""
        lines = self.lines.get(mutant.source.file, {})
        return min(
            (lines[key] for each in mutant.lines if (key := str(each)) in lines), default=None
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a mutant, by its number.

    status: as in the report schema of mutation testing. signature: of the failure that killed it;
    with the scenario and the number of runs that it took. runs: of a survivor, how many it
    survived. fails: the signature of a failure that comes without the mutant as well.
    """

    number: int
    status: str
    scenario: str = ""
    signature: str = ""
    runs: int = 0
    seconds: float = 0.0
    fails: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """A mutant with its verdict, and by which scenarios it is reached: the soonest first."""

    mutant: Mutant
    verdict: Verdict
    reached: Sequence[tuple[str, int]] = ()
    reason: str = ""

    @property
    def status(self) -> str:
        return self.verdict.status


def score(results: Sequence[Result]) -> float:
    """Return which share of 100 was killed or timed out; 100 where there was nothing to kill.

    Those unreached count as not killed; those that are equivalent or were not tried do not count.
    """
    counted = [each for each in results if each.status in COUNTED]
    detected = [each for each in counted if each.status in DETECTED]
    return 100 * len(detected) / len(counted) if counted else 100.0
