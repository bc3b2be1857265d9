"""`threadline leaks`: what is not given back, by whom, since which step, and how fast it grows."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import psutil

from ..campaign.folder import make_folder, tidy
from ..defaults import read_defaults
from ..history import count
from ..leaks.doubling import CYCLES_MAX
from ..leaks.external_tools import memray_lens, objgraph_lens
from ..leaks.hunt import Found, Hunt
from ..leaks.markdown import leak_markdown
from ..leaks.page import leak_page
from ..leaks.process_watch import looks, verdicts
from ..leaks.round_trip import RoundTrips, round_trips_of
from ..leaks.text import leak_text
from ..loading import BadName, Target, load_scenario, load_target
from ..lockstep.run import Runs
from ..lockstep.warning_recorder import warnings_recorded
from ..report.failure_text import failure_text, replay_command
from ..scenario import Scenario
from ..trace import Header, Recorder, Trace, plain, read, read_header, versions
from .cli_names import Duration, asked_for, scenario_names, target_for, usage_errors

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

    Exits with 0 where nothing leaks, with 1 where something does, or nothing could be tried.
    """
    if pid is not None:
        _watch(pid, seconds or 60.0)
        return
    asked = Asked(
        seed, runs or (None if seconds else RUNS), steps, cycles, seconds, objgraph, memray
    )
    traces = [Path(each) for each in what if Path(each).is_file()]
    if traces:
        failed = [_trace(trace, driver, asked) for trace in traces]
    else:
        failed = [_scenarios(what, driver, asked)]
    sys.exit(int(any(failed)))


def _scenarios(what: tuple[str, ...], driver: str | None, asked: Asked) -> bool:
    defaults = read_defaults()
    driver, given = asked_for(what, driver, defaults)
    target = target_for(driver, given, defaults)
    names = scenario_names(given, defaults, target)
    click.echo(f"threadline {versions()['threadline']}: leaks of {target.name}, seed {asked.seed}")
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
    header = read_header(path)
    target = load_target(driver or header.driver, header.settings)
    stored = read(path, target.model.kinds())
    click.echo(f"{path}: {count(len(stored.operations), 'operation')}, on {target.name}")
    with _hunt(target, asked) as hunt:
        for found in hunt.trace(replace(stored), _scenario_of(stored)):
            _tell(found, hunt, asked)
        _sum_up(hunt)
    return bool(hunt.seen)


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
            click.echo(f"{trouble}: reports are in {folder}")
        yield Hunt(runs, folder)
        tidy(folder, [])


def _tell(found: Found, hunt: Hunt, asked: Asked) -> None:
    story = found.story
    if story is None:
        click.echo(f"\n{failure_text(found.failure, found.path)}")
        click.echo("  note:    it did not leak again when it was investigated")
        return
    click.echo(f"\n{leak_text(story)}")
    stem = hunt.folder / found.failure.signature.kind
    page, markdown = stem.with_name(f"{stem.name}.html"), stem.with_name(f"{stem.name}.md")
    page.write_text(leak_page(story), "utf-8")
    markdown.write_text(leak_markdown(story, found.path), "utf-8")
    click.echo(f"  report:  {markdown}\n           {page}")
    click.echo(f"  replay:  {replay_command(found.path)}")
    if asked.objgraph:
        click.echo(f"  {objgraph_lens(story, hunt.folder)}")
    if asked.memray:
        click.echo(f"  {memray_lens(story, hunt.runs, hunt.folder)}")


def _sum_up(hunt: Hunt) -> None:
    known = round_trips_of(hunt.runs).known
    leaking = count(len(hunt.seen), "leak")
    click.echo(f"\n{leaking} in {count(hunt.played, 'run')}, each torn down and repeated")
    for path, level in known.levels.items():
        click.echo(f"  bounded: {path.name}, at {level:,}")
    for path, cycles in known.undecided.items():
        click.echo(f"  undecided: {path.name} still grew after {count(cycles, 'cycle')}")
    for reason, times in known.skipped.items():
        click.echo(f"  not looked at, {count(times, 'run')}: {reason}")
    for name, times in hunt.parted.items():
        click.echo(f"  ended early, {count(times, 'run')}: {name}; `threadline fuzz` tells")
    if known.net:
        click.echo(f"  net: {known.net}")


def _watch(pid: int, seconds: float) -> None:
    seen = []
    click.echo("  seconds   uss (KB)  descriptors  threads")
    try:
        for look in looks(pid, max(2, int(seconds / EVERY_S)), EVERY_S):
            seen.append(look)
            row = f"{look.uss_kb:>10,} {look.descriptors:>12,} {look.threads:>8,}"
            click.echo(f"{look.seconds:>9.1f} {row}")
    except psutil.Error as error:
        raise BadName(f"process {pid} cannot be watched: {error}") from error
    told = verdicts(seen)
    for line in told:
        click.echo(line)
    sys.exit(int(any("GROWS" in line for line in told)))


def _scenario_of(stored: Trace) -> type[Scenario[Any]] | None:
    try:
        return load_scenario(stored.header.scenario)
    except BadName:
        return None
