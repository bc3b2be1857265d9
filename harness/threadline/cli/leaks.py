"""`threadline leaks`: what is not given back, by whom, since which step, and how fast it grows."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import psutil

from ..allowed import driver_to_give
from ..campaign.folder import make_folder, tidy
from ..campaign.isolate import cause, death, hung, last_run, last_step_failure
from ..defaults import read_defaults
from ..descriptor import leash
from ..failure import Divergence, Failure, failure_text, replay_command
from ..history import count
from ..leaks.external_tools import write_memray, write_objgraph
from ..leaks.growth import CYCLES_MAX
from ..leaks.hunt import FoundLeak, Hunt
from ..leaks.process_watch import samples, verdicts
from ..leaks.report import leak_markdown, leak_page, leak_text
from ..leaks.round_trip import RoundTrips, round_trips_of
from ..loading import BadName, Target, load_scenario
from ..lockstep.recorders import warnings_recorded
from ..lockstep.run import Runs, play
from ..printable import file_name, printable
from ..trace import Header, Recorder, Trace, plain, save, versions
from .apart import Apart, coming_to_an_end, run_apart
from .cli_names import Duration, asked_for, scenario_names, target_for, tell, usage_errors
from .stored import alarm, opened, played, remarks, rewind, stored_scenario

RUNS, STEPS = 40, 20
TOLD = ".told"  # a file beside that of the run, by which a leak is known to have been told
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
    here: Path | None


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
@click.option("--here", type=click.Path(path_type=Path), hidden=True)
@click.option("--leash", "held", type=int, hidden=True)
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
    here: Path | None,
    held: int | None,
) -> None:
    """Find what is not given back.

    Ends each run of a scenario (or a trace) empty, repeats it on the same system, and tells what
    goes on growing: its class and rate, the step of its birth, and who holds it. Writes each
    report as Markdown and as an HTML page, too. With --pid, looks at a process once a second.

    Exits with 0 where nothing leaks, with 1 where something does, or nothing could be tried.
    """
    if pid is not None:
        _watch(pid, seconds or 60.0)
        return
    asked = Asked(
        seed, runs or (None if seconds else RUNS), steps, cycles, seconds, objgraph, memray, here
    )
    if here is None:
        sys.exit(_apart(what, driver, asked))
    if held is not None:
        leash(held)
    with coming_to_an_end(here) as status:
        if traces := _traces(what):
            failed = [_trace(trace, driver, asked) for trace in traces]
        else:
            failed = [_scenarios(what, driver, asked)]
        status[0] = int(any(failed))


def _traces(what: tuple[str, ...]) -> list[Path]:
    return [Path(each) for each in what if _is_trace(each)]


def _apart(what: tuple[str, ...], driver: str | None, asked: Asked) -> int:
    """Hunt in a process of its own, which the system may end; return the exit status."""
    if traces := _traces(what):
        targets = [opened(trace, driver)[0] for trace in traces]
    else:
        targets = [_planned(what, driver)[0]]
    words = ["leaks", *what, "--seed", asked.seed, "--steps", asked.steps, "--cycles", asked.cycles]
    words += ["--driver", driver] if driver else []
    words += ["--runs", asked.runs] if asked.runs else []
    words += ["--for", f"{asked.seconds:f}s"] if asked.seconds else []
    words += [f"--{name}" for name in ("objgraph", "memray") if getattr(asked, name)]
    with TemporaryDirectory(prefix="threadline-") as folder:
        running = Path(folder) / "running.jsonl"
        ended = run_apart([*map(str, words)], running, asked.seconds)
        if ended.is_whole:
            return ended.status
        if ended.is_late:
            click.echo("\nthe time was over in the middle of a run: give it more with --for")
            return int(running.with_suffix(TOLD).exists())
        _tell_end(ended, running, targets, asked)
    return 1


def _is_trace(word: str) -> bool:
    """Return whether a word means a file, there or not, and no name of a scenario or driver."""
    path = Path(word)
    return path.suffix == ".jsonl" or (path.exists() and not path.is_dir())


def _tell_end(ended: Apart, running: Path, targets: list[Target], asked: Asked) -> None:
    """Print the failure of the step that ended the process of the hunt, or did not return."""
    for target in targets:
        run = last_run(running, target)
        if run is None:
            continue
        end = hung(ended.hung_s) if ended.hung_s else death(ended.status)
        failure = last_step_failure(run[0], target, end, run[1])
        folder, _ = make_folder(asked.seed)
        saved = save(folder / f"{file_name(str(failure.signature))}.jsonl", run[0])
        tell("")
        click.echo(failure_text(failure, saved, driver=driver_to_give(target)))
        _echo_trace(run[0], saved)
        return
    tell(f"\nthe process of the hunt has ended before its first run: {cause(ended.status)}")


def _planned(what: tuple[str, ...], driver: str | None) -> tuple[Target, list[str]]:
    """Return the driver and the scenarios that the words name; raises BadName."""
    defaults = read_defaults()
    driver, given = asked_for(what, driver, defaults)
    target = target_for(driver, given, defaults)
    return target, scenario_names(given, defaults, target)


def _scenarios(what: tuple[str, ...], driver: str | None, asked: Asked) -> bool:
    target, names = _planned(what, driver)
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
    if not hunt.steps:
        click.echo("nothing was tried, which is no success: 0 steps")
    return bool(hunt.seen) or not hunt.steps


def _trace(path: Path, driver: str | None, asked: Asked) -> bool:
    target, stored = opened(path, driver)
    tell(f"{printable(str(path))}: {count(len(stored.operations), 'operation')}, on {target.name}")
    tell(*(f"  {line}" for line in remarks(stored, target)))
    scenario = stored_scenario(stored.header, target)
    with played(path), _hunt(target, asked) as hunt:
        if failure := _first_failure(hunt.runs, stored):
            hunt.played, hunt.ended_early[str(failure.signature)] = 1, 1
        else:
            for found in hunt.trace(stored, scenario):
                _tell(found, hunt, asked)
        _sum_up(hunt)
    return bool(hunt.seen)


def _first_failure(runs: Runs, stored: Trace) -> Failure | None:
    """Play a trace once with a limit for each step, before it is repeated without."""
    with alarm(), runs.begin(stored.header) as lockstep:
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
    trips = RoundTrips(1, cycles_max=asked.cycles, counts_blocks=True)
    with warnings_recorded() as warned, closing(Recorder(asked.here)) as recorder:
        runs = Runs(blind, recorder, warned, after_run=trips)
        folder, trouble = make_folder(asked.seed)
        if trouble:
            tell(f"{trouble}: reports are in {folder}")
        hunt = Hunt(runs, folder)
        trips.alive = hunt.alive
        yield hunt
        tidy(folder, [])


def _tell(found: FoundLeak, hunt: Hunt, asked: Asked) -> None:
    if asked.here is not None:
        asked.here.with_suffix(TOLD).touch()
    story, driver = found.story, driver_to_give(hunt.runs.target)
    if story is None:
        tell("")
        click.echo(failure_text(found.failure, found.path, driver=driver))
        tell(f"  note:    {found.why}")
        _echo_trace(found.trace, found.path)
        return
    tell("")
    click.echo(leak_text(story))
    stem = file_name(found.failure.signature.kind)
    page, markdown = hunt.folder / f"{stem}.html", hunt.folder / f"{stem}.md"
    again = replay_command(found.path, driver)
    try:
        page.write_text(leak_page(story), "utf-8")
        markdown.write_text(leak_markdown(story, again), "utf-8")
        tell(f"  report:  {markdown}", f"           {page}")
    except OSError as error:
        tell(f"  report:  could not be written ({error.strerror})")
    _echo_trace(found.trace, found.path)
    if found.path:
        tell(f"  replay:  {again}")
    if asked.objgraph:
        tell(f"  {write_objgraph(story, hunt.folder)}")
    if asked.memray:
        tell(f"  {write_memray(story, hunt.runs, hunt.folder)}")


def _echo_trace(trace: Trace, saved: str) -> None:
    """Print a trace whole, where it could not be saved."""
    if not saved:
        click.echo("  the whole trace, to be kept in a file:")
        click.echo(trace.encoded().decode("ascii"))


def _sum_up(hunt: Hunt) -> None:
    growths = round_trips_of(hunt.runs).growths
    leaking = count(len(hunt.seen), "leak")
    tell("", f"{leaking} in {count(hunt.played, 'run')}, each torn down and repeated")
    for path, level in growths.levels.items():
        tell(f"  bounded: {path.name}, at {level:,}")
    for path, cycles in growths.undecided.items():
        tell(f"  undecided: {path.name} still grew after {count(cycles, 'cycle')}")
    for reason, times in growths.skipped.items():
        tell(f"  not looked at, {count(times, 'run')}: {reason}")
    for name, times in hunt.ended_early.items():
        tell(f"  ended early, {count(times, 'run')}: {name}; `threadline fuzz` tells")
    if growths.block_count:
        tell(f"  net: {growths.block_count}")


def _watch(pid: int, seconds: float) -> None:
    seen = []
    tell("  seconds   uss (KB)  descriptors  threads")
    try:
        for sample in samples(pid, max(2, int(seconds / EVERY_S)), EVERY_S):
            seen.append(sample)
            row = f"{sample.uss_kb:>10,} {sample.descriptors:>12,} {sample.threads:>8,}"
            tell(f"{sample.seconds:>9.1f} {row}")
    except psutil.Error as error:
        raise BadName(f"process {pid} cannot be watched: {error}") from error
    told = verdicts(seen)
    for line in told:
        tell(line)
    sys.exit(int(any("GROWS" in line for line in told)))
