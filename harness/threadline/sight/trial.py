"""Trials: runs on a system, changed or not, in the process that must not outlive them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from ..campaign.corpus import Corpus
from ..campaign.job import ROUND_TRIP_EVERY
from ..campaign.lines import Lines
from ..campaign.worker import surroundings
from ..driver import DriverError
from ..leaks.round_trip import RoundTrips
from ..loading import BadName, Target, load_scenario, load_target
from ..lockstep.outcomes import ModelError, is_the_systems
from ..lockstep.recorders import warnings_recorded
from ..lockstep.run import Batch, Runs, replay
from ..scenario import Scenario
from ..search.behaviour import Behaviour, packed
from ..search.explore import Explorer
from ..search.goals import Followers, Goals
from ..search.undrawn import Undrawn
from ..trace import BadTrace, Header, Recorder, Trace, parse, plain, versions
from .mutants import Mutant, Source, mutants_of, sources_of
from .put_in import Live
from .verdict import KILLED, SURVIVED, Plan, Reached, Verdict

TURN = 10  # runs of one scenario, before the next one that reaches the mutant has its turn
QUIET = 60  # runs in a row that reach no new line, after which no other is expected; our choice
BY_ERROR = "error"  # what a mutant is said to die of, that makes the driver or the model raise


@dataclass(slots=True)
class Bench:
    """What a process holds to try mutants: the loaded target, its scenarios, and its functions."""

    plan: Plan
    target: Target
    scenarios: dict[str, type[Scenario[Any]]]
    mutants: list[Mutant]
    sources: list[Source]
    live: Live
    stored: dict[str, list[Trace]] = field(default_factory=dict)

    def header(self, name: str) -> Header:
        """Return what the runs of a scenario begin with."""
        return Header(
            contract=self.target.model.name,
            driver=self.plan.driver,
            scenario=name,
            policy=plain(self.target.policy),
            engine="explore",
            seed=self.plan.seed,
            steps_max=self.plan.steps,
            overlap=self.scenarios[name].overlap,
            versions=versions(),
        )


def bench_of(plan: Plan) -> Bench:
    """Load what a plan names; raises BadName."""
    target = load_target(plan.driver)
    scenarios = {name: load_scenario(name) for name in plan.scenarios}
    sources = sources_of(plan.modules)
    live = Live([source.file for source in sources])
    bench = Bench(plan, target, scenarios, mutants_of(sources), sources, live)
    if plan.corpus:
        bench.stored = {name: _stored(bench, name) for name in scenarios}
    return bench


def _stored(bench: Bench, scenario: str) -> list[Trace]:
    """Return the stored traces of a scenario on the driver, but for those that cannot be read."""
    corpus = Corpus(Path(bench.plan.corpus), is_frozen=True)
    kinds, found = bench.target.model.kinds(), []
    for each in (*corpus.failures(), *corpus.behaviour()):
        if each.is_of(scenario, bench.plan.driver):
            try:
                lines = each.content.encode("ascii").split(b"\n")
                found.append(parse(each.path.name, lines, kinds)[0])
            except (BadTrace, UnicodeEncodeError):
                continue
    return found


@contextmanager
def opened(bench: Bench, running: Path, *, hunts: bool = True) -> Iterator[Runs]:
    """Yield what opens runs, each recorded in a file; with `hunts`, some look for leaks.

    The driver's start() is called by whoever wants to: the first run does it else.
    """
    with warnings_recorded() as warned, closing(Recorder(running)) as recorder:
        trips = RoundTrips(ROUND_TRIP_EVERY, alive=recorder.touch) if hunts else None
        runs = Runs(bench.target, recorder, warned, after_run=trips, put_back=surroundings())
        yield runs


def reached(bench: Bench, name: str, running: Path) -> Reached:
    """Play a scenario on the system as it is, and return which lines it reaches, how soon.

    Ends after as many runs as a mutant has, or QUIET that reach no new line where every goal is
    met. What overlaps in threads is played one after the other: those threads are traced already,
    to be switched.
    """
    plan, stored = bench.plan, bench.stored.get(name, ())
    found: dict[str, dict[str, int]] = {source.file: {} for source in bench.sources}
    found |= {file: {} for file in plan.watches}
    scenario = bench.scenarios[name]
    behaviour, goals = Behaviour(), Goals(scenario.goals())
    undrawn = Undrawn(scenario.rules(bench.target.lacks))
    lines, steps, quiet, played = Lines(list(found), plan.watches), 0, 0, 0
    with opened(bench, running, hunts=False) as runs:
        runs.follower = Followers((behaviour, goals, undrawn))
        with lines.watched() as ran:
            runs.start()
        _note(ran, found, steps)
        explorer = _explorer(bench, name, runs, overlaps=not bench.target.driver.threaded)
        batches = chain(map(explorer.warm, stored), explorer.batches())
        while played < plan.runs + len(stored) and (quiet < QUIET or goals.unmet):
            with lines.watched() as ran:
                batch = next(batches)
            played, steps = played + 1, steps + batch.steps
            if batch.failure:
                return Reached(name, fails=str(batch.failure.signature))
            quiet = 0 if _note(ran, found, steps) else quiet + 1
    operations, states, _ = behaviour.take()
    return Reached(
        name,
        {file: lines for file, lines in found.items() if lines},
        {file: sorted(pairs) for file, pairs in lines.taken.items()},
        runs=played,
        steps=steps,
        operations=operations,
        states=packed(states),
        unused=[*explorer.unused(), *undrawn.lines()],
        unmet=goals.unmet,
    )


def _note(ran: Mapping[str, list[int]], found: dict[str, dict[str, int]], steps: int) -> bool:
    """Note which lines ran for the first time after so many steps; return whether any did."""
    is_new = False
    for shown, numbers in ran.items():
        known = found.get(os.path.abspath(shown), {})
        for number in map(str, numbers):
            is_new = is_new or number not in known
            known.setdefault(number, steps)
    return is_new


def _explorer(bench: Bench, name: str, runs: Runs, *, overlaps: bool = True) -> Explorer:
    header = bench.header(name)
    header = replace(header, overlap=header.overlap and overlaps)
    return Explorer(bench.scenarios[name], runs, header)


def _batches(bench: Bench, name: str, runs: Runs) -> Iterator[Batch]:
    """Yield the runs of a scenario: its stored traces, then fresh ones without end."""
    explorer = _explorer(bench, name, runs)
    return chain(map(explorer.warm, bench.stored.get(name, ())), explorer.batches())


def tried(
    bench: Bench, mutant: Mutant, names: Sequence[str], running: Path
) -> tuple[Verdict, bytes]:
    """Play the scenarios in turns on a mutant, until a run fails or all runs are played.

    After `whole_s` seconds no run is begun any more: that it is slow tells nothing of a mutant, on
    a busy machine. Returns the trace of the run that failed, too. The system stays changed if that
    raises: the process is not to be used for anything else.
    """
    source, ends_at_s = mutant.source, time.monotonic() + bench.plan.whole_s
    with bench.live.changed(source.file, source.text, mutant.edit):
        played, name = 0, ""
        try:
            with opened(bench, running) as runs:
                runs.start()
                for name, batch in _in_turns(bench, names, runs):
                    played += 1
                    if batch.failure:
                        signature = str(batch.failure.signature)
                        verdict = Verdict(mutant.number, KILLED, name, signature, played)
                        return verdict, batch.trace().encoded()
                    if time.monotonic() >= ends_at_s:
                        break
        except BaseException as error:
            if not _is_its_doing(error):
                raise
            cause = f"{BY_ERROR}: {type(error).__name__}"
            return Verdict(mutant.number, KILLED, name or names[0], cause, played + 1), b""
    return Verdict(mutant.number, SURVIVED, runs=played), b""


def _in_turns(bench: Bench, names: Sequence[str], runs: Runs) -> Iterator[tuple[str, Batch]]:
    searches = [(name, _batches(bench, name, runs)) for name in names]
    left = bench.plan.runs + sum(len(bench.stored.get(name, ())) for name in names)
    while left > 0:
        for name, batches in searches:
            for batch in islice(batches, min(TURN, left)):
                left -= 1
                yield name, batch


def _is_its_doing(error: BaseException) -> bool:
    """Return whether a mutant is behind an error: no run of the unchanged system raised one."""
    return is_the_systems(error) or isinstance(error, DriverError | BadName | ModelError)


def fails_as_it_is(bench: Bench, trace: bytes, running: Path) -> str:
    """Return the signature by which a trace fails on the unchanged system; "" where it does not."""
    read = parse("the trace", trace.split(b"\n"), bench.target.model.kinds())[0]
    with opened(bench, running) as runs:
        failure = replay(runs, replace(read.header, signature=""), read.operations)
    return str(failure.signature) if failure else ""
