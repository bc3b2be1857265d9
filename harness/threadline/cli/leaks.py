"""`threadline leaks`: what is not given back, by whom, since which step, and how fast it grows."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import click
import psutil

from ..allowed import driver_to_give
from ..campaign.folder import file_name, make_folder, tidy
from ..defaults import read_defaults
from ..failure import Divergence, Failure
from ..history import count
from ..leaks.doubling import CYCLES_MAX
from ..leaks.external_tools import memray_lens, objgraph_lens
from ..leaks.hunt import Found, Hunt
from ..leaks.markdown import leak_markdown
from ..leaks.page import leak_page
from ..leaks.process_watch import looks, verdicts
from ..leaks.round_trip import RoundTrips, round_trips_of
from ..leaks.text import leak_text
from ..loading import BadName, Target, load_scenario
from ..lockstep.run import Runs, play
from ..lockstep.warning_recorder import warnings_recorded
from ..printable import printable
from ..report.failure_text import failure_text, replay_command
from ..trace import Header, Recorder, Trace, plain, versions
from .cli_names import Duration, asked_for, scenario_names, target_for, tell, usage_errors
from .stored import alarm, opened, played, remarks, rewind, stored_scenario

RUNS, STEPS = 40, 20
EVERY_S = 1.0  # between two looks at a process


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command was asked for, beside what to hunt."""

    seed: int
    runs: int | None
    steps: int
    cycles: int
    seconds: float | None
    objgraph: bool
    memray: bool


@click.command()
@click.argument("what", nargs=-1, metavar="[DRIVER | SCENARIO | TRACE]...")
@click.option("--driver", metavar="MODULE:NAME", help="How the system is reached.")
@click.option("--runs", type=click.IntRange(min=1), help="Runs of each scenario: 40.")
@click.option("--steps", type=click.IntRange(min=1), default=STEPS, help="Steps of a run, at most.")
@click.option(
    "--cycles",
    type=click.IntRange(min=16, max=CYCLES_MAX),
    default=CYCLES_MAX,
    show_default=True,
    help="Cycles for which growth is watched, at most.",
)
@click.option("--for", "seconds", type=Duration(), help="Time for all scenarios: 60s, 5m, 2h.")
@click.option("--seed", type=click.IntRange(min=0), default=lambda: secrets.randbits(32))
@click.option("--objgraph", is_flag=True, help="Write who holds a survivor, as a graph for dot.")
@click.option("--memray", is_flag=True, help="Record the allocations of a replay for memray.")
@click.option("--pid", type=int, help="Watch a running process from outside instead.")
@usage_errors
def leaks(
    what: tuple[str, ...],
    driver: str | None,
    runs: int | None,
    steps: int,
    cycles: int,
    seconds: float | None,
    seed: int,
    objgraph: bool,
    memray: bool,
    pid: int | None,
) -> None:
    """Find what is not given back.

    Ends each run of a scenario (or a trace) empty, repeats it on the same system, and tells what
    goes on growing: its class and rate, the step of its birth, and who holds it. Writes each
    report as Markdown and as an HTML page, too. With --pid, looks at a process once a second.

    Exits with 0 where nothing leaks, else with 1.
    """
    if pid is not None:
        _watch(pid, seconds or 60.0)
        return
    asked = Asked(
        seed, runs or (None if seconds else RUNS), steps, cycles, seconds, objgraph, memray
    )
    traces = [Path(each) for each in what if _is_trace(each)]
    if traces:
        failed = [_trace(trace, driver, asked) for trace in traces]
    else:
        failed = [_scenarios(what, driver, asked)]
    sys.exit(int(any(failed)))


def _is_trace(word: str) -> bool:
    """Return whether a word means a file, there or not, and no name of a scenario or driver."""
    path = Path(word)
    return path.suffix == ".jsonl" or (path.exists() and not path.is_dir())


def _scenarios(what: tuple[str, ...], driver: str | None, asked: Asked) -> bool:
    defaults = read_defaults()
    driver, given = asked_for(what, driver, defaults)
    target = target_for(driver, given, defaults)
    names = scenario_names(given, defaults, target)
    tell(f"threadline {versions()['threadline']}: leaks of {target.name}, seed {asked.seed}")
    header = Header(
        contract=target.model.name,
        driver=target.name,
        policy=plain(target.policy),
        engine="explore",
        seed=asked.seed,
        steps_max=asked.steps,
        versions=versions(),
    )
    seconds = asked.seconds / len(names) if asked.seconds else None
    with _hunt(target, asked) as hunt:
        for name in names:
            scenario = load_scenario(name)
            own = replace(header, scenario=name)
            for found in hunt.scenario(scenario, own, asked.runs, seconds):
                _tell(found, hunt, asked)
        _sum_up(hunt)
    return bool(hunt.seen)


def _trace(path: Path, driver: str | None, asked: Asked) -> bool:
    target, stored = opened(path, driver)
    tell(f"{printable(str(path))}: {count(len(stored.operations), 'operation')}, on {target.name}")
    tell(*(f"  {line}" for line in remarks(stored, target)))
    scenario = stored_scenario(stored.header, target)
    with played(path), _hunt(target, asked) as hunt:
        if failure := _first_failure(hunt.runs, stored):
            hunt.played, hunt.parted[str(failure.signature)] = 1, 1
        else:
            for found in hunt.trace(stored, scenario):
                _tell(found, hunt, asked)
        _sum_up(hunt)
    return bool(hunt.seen)


def _first_failure(runs: Runs, stored: Trace) -> Failure | None:
    """Play a trace once with a limit for each step, before it is repeated without."""
    with alarm(), runs.open(stored.header.line(), stored.header.settings) as lockstep:
        try:
            for _ in play(lockstep, stored.operations):
                rewind()
        except Divergence as divergence:
            return divergence.failure
    return None


@contextmanager
def _hunt(target: Target, asked: Asked) -> Iterator[Hunt]:
    """Hunt without the model's invariants, which would end a run sooner and tell less."""
    blind = replace(target, invariants=())
    with warnings_recorded() as warned:
        runs = Runs(
            blind,
            Recorder(None),
            warned,
            after_run=RoundTrips(1, cycles_max=asked.cycles, nets=True),
        )
        folder, trouble = make_folder(asked.seed)
        if trouble:
            tell(f"{trouble}: reports are in {folder}")
        yield Hunt(runs, folder)
        tidy(folder, [])


def _tell(found: Found, hunt: Hunt, asked: Asked) -> None:
    story, driver = found.story, driver_to_give(hunt.runs.target)
    if story is None:
        tell("")
        click.echo(failure_text(found.failure, found.path, driver=driver))
        tell("  note:    it did not leak again when it was investigated")
        return
    tell("")
    click.echo(leak_text(story))
    stem = file_name(found.failure.signature.kind)
    page, markdown = hunt.folder / f"{stem}.html", hunt.folder / f"{stem}.md"
    again = replay_command(found.path, driver)
    page.write_text(leak_page(story), "utf-8")
    markdown.write_text(leak_markdown(story, again), "utf-8")
    tell(f"  report:  {markdown}", f"           {page}")
    tell(f"  replay:  {again}")
    if asked.objgraph:
        tell(f"  {objgraph_lens(story, hunt.folder)}")
    if asked.memray:
        tell(f"  {memray_lens(story, hunt.runs, hunt.folder)}")


def _sum_up(hunt: Hunt) -> None:
    known = round_trips_of(hunt.runs).known
    leaking = count(len(hunt.seen), "leak")
    tell("", f"{leaking} in {count(hunt.played, 'run')}, each torn down and repeated")
    for path, level in known.levels.items():
        tell(f"  bounded: {path.name}, at {level:,}")
    for path, cycles in known.undecided.items():
        tell(f"  undecided: {path.name} still grew after {count(cycles, 'cycle')}")
    for reason, times in known.skipped.items():
        tell(f"  not looked at, {count(times, 'run')}: {reason}")
    for name, times in hunt.parted.items():
        tell(f"  ended early, {count(times, 'run')}: {name}; `threadline fuzz` tells")
    if known.net:
        tell(f"  net: {known.net}")


def _watch(pid: int, seconds: float) -> None:
    seen = []
    tell("  seconds   uss (KB)  descriptors  threads")
    try:
        for look in looks(pid, max(2, int(seconds / EVERY_S)), EVERY_S):
            seen.append(look)
            row = f"{look.uss_kb:>10,} {look.descriptors:>12,} {look.threads:>8,}"
            tell(f"{look.seconds:>9.1f} {row}")
    except psutil.Error as error:
        raise BadName(f"process {pid} cannot be watched: {error}") from error
    told = verdicts(seen)
    for line in told:
        tell(line)
    sys.exit(int(any("GROWS" in line for line in told)))
