"""`threadline fuzz`: run a campaign, show how it goes, and say what it found."""

from __future__ import annotations

import secrets
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from types import FrameType

import click

from ..campaign.campaign import WorkerFailed, campaign
from ..campaign.folder import make_folder, tidy
from ..campaign.isolate import HANG_S
from ..campaign.job import ENGINES, SLOW_S, Job
from ..campaign.profile import PROFILES, Profile
from ..defaults import read_defaults
from ..known import known_file, known_on
from ..loading import Target
from ..report.known_text import KnownText
from ..report.terminal import Terminal
from ..trace import versions
from .cli_names import Duration, plan_for, tell, usage_errors

INTERRUPTED = 130  # 128 and the number of SIGINT, as shells have it


@click.command()
@click.argument("what", nargs=-1, metavar="[DRIVER | SCENARIO]...")
@click.option("--driver", metavar="MODULE:NAME", help="How the system is reached.")
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default="explore",
    show_default=True,
    help="How the next operation is chosen.",
)
@click.option(
    "--profile",
    type=click.Choice(list(PROFILES)),
    default="quick",
    show_default=True,
    help="How much to try, where no option says it.",
)
@click.option("--runs", type=click.IntRange(min=1), help="Runs of each scenario.")
@click.option("--steps", type=click.IntRange(min=1), help="Steps of a run, at most.")
@click.option("--depth", type=click.IntRange(min=1), help="Length of sequences (exhaust).")
@click.option(
    "--for", "seconds", type=Duration(), help="Time for all scenarios, once loaded: 60s, 5m."
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=lambda: secrets.randbits(32),
    help="Fixes every draw; drawn if not given.",
)
@click.option(
    "--known",
    type=click.Path(path_type=Path),
    help="File of known failures; known.toml beside pyproject.toml, if not given.",
)
@click.option("--log", is_flag=True, help="Show what the system logged and warned, too.")
@click.option("--full", is_flag=True, help="Show values whole, however long.")
@usage_errors
def fuzz(
    what: tuple[str, ...],
    driver: str | None,
    engine: str,
    profile: str,
    runs: int | None,
    steps: int | None,
    depth: int | None,
    seconds: float | None,
    seed: int,
    known: Path | None,
    *,
    log: bool,
    full: bool,
) -> None:
    """Find what fails, and make it short.

    Runs scenarios against a system and its model side by side, and minimises each failure.
    DRIVER is MODULE:NAME or PATH:NAME, as in ./mine.py:MyDriver; without one, it is the project's
    first that fits the scenario. SCENARIO is a name that `threadline scenarios` lists, or
    MODULE:NAME; without one, it is all of the driver's model, or the model itself. Without either,
    every scenario of the project is run. A failure ends its run, not the campaign.

    Exits with 0 where nothing failed, 1 where something did, if only by chance, or where no step of
    a scenario was taken; 2 for a wrong option, 3 where the model, the scenario or threadline itself
    broke.
    """
    plan = plan_for(what, driver, read_defaults())
    folder, trouble = make_folder(seed)
    base = PROFILES[profile]
    most = (depth or base.depth) if engine == "exhaust" else (steps or base.steps)
    job = Job("", "", engine, seed, most, _runs(engine, runs, seconds, base), folder=str(folder))
    job = replace(job, hang_s=HANG_S if seconds else SLOW_S, shows_log=log, shows_all=full)
    targets = [target for _, target in plan]
    planned = [replace(job, scenario=name, driver=target.name) for name, target in plan]
    jobs, text = _knowing(planned, targets, known or known_file())
    sys.exit(_run(jobs, targets, Terminal(trouble, known=text), folder, seconds))


def _knowing(
    jobs: Iterable[Job], targets: Iterable[Target], file: Path
) -> tuple[list[Job], KnownText]:
    """Return the jobs with what is known of their drivers, and what is to be said of it.

    The first job of each driver plays the traces of what is known.
    """
    text, knowing, met = KnownText(), [], set[str]()
    for job, target in zip(jobs, targets, strict=True):
        known, expired = known_on(job.driver, target.driver.known, file, date.today())
        entries = [asdict(replace(entry, until=None)) for entry in known]
        knowing.append(replace(job, known=entries, replays_known=job.driver not in met))
        text.add(known, expired)
        met.add(job.driver)
    return knowing, text


def _run(
    jobs: list[Job],
    targets: list[Target],
    terminal: Terminal,
    folder: Path,
    seconds: float | None,
) -> int:
    """Run the jobs, each on its target, and return the exit status."""
    for target in {target.name: target for target in targets}.values():
        terminal.header(target, jobs[0].engine, jobs[0].seed, versions()["threadline"])
    status = 0
    try:
        with terminal.live(), _interrupts() as interrupted:
            for job, target in zip(shared(jobs, seconds), targets, strict=True):
                campaign(job, target, terminal.hear, interrupted)
    except KeyboardInterrupt:
        status = INTERRUPTED
    except WorkerFailed as error:
        tell(f"threadline: {error}", err=True)
        status = 3
    running = [job.running() for job in jobs]
    if status == 0:
        tidy(folder, running)
    terminal.summary()
    if status == INTERRUPTED:
        left = ", ".join(str(path) for path in running if path and path.exists())
        tell(f"interrupted: what was found until then is above; the last run is in {left}")
    return 1 if terminal.failed and status != 3 else status


def shared(jobs: list[Job], seconds: float | None) -> Iterator[Job]:
    """Yield each job with its share of the time: what the ones before have left is divided anew."""
    ends_at_s = time.monotonic() + (seconds or 0.0)
    for done, job in enumerate(jobs):
        left_s = max(0.0, ends_at_s - time.monotonic())
        yield replace(job, seconds=left_s / (len(jobs) - done) if seconds else None)


@contextmanager
def _interrupts() -> Iterator[Callable[[], bool]]:
    """Yield whether Ctrl-C was pressed; pressed again, it interrupts at once, as ever."""
    pressed: list[int] = []

    def press(number: int, _frame: FrameType | None) -> None:
        if pressed:
            raise KeyboardInterrupt
        pressed.append(number)

    before = signal.signal(signal.SIGINT, press)
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, before)


def _runs(engine: str, runs: int | None, seconds: float | None, base: Profile) -> int | None:
    """Return how many runs a job has; None where time or the search itself ends it."""
    if runs is not None:
        return runs
    if seconds is not None or engine == "exhaust":
        return None
    return base.examples if engine == "hypothesis" else base.runs
