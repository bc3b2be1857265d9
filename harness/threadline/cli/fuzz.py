"""`threadline fuzz`: run a campaign, show how it goes, and say what it found."""

from __future__ import annotations

import secrets
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from types import FrameType

import click

from ..campaign.campaign import WorkerFailed, campaign
from ..campaign.folder import make_folder, tidy
from ..campaign.isolate import HANG_S
from ..campaign.profile import PROFILES, Profile
from ..campaign.worker import ENGINES, SLOW_S, Job
from ..defaults import read_defaults
from ..known import Known, known_file, read_known
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
) -> None:
    """Find what fails, and make it short.

    Runs scenarios against a system and its model side by side, and minimises each failure.
    DRIVER is MODULE:NAME or PATH:NAME, as in ./mine.py:MyDriver; without one, it is the project's
    first that fits the scenario. SCENARIO is a name that `threadline scenarios` lists, or
    MODULE:NAME; without one, it is all of the driver's model, or the model itself. Without either,
    every scenario of the project is run. A failure ends its run, not the campaign.

    Exits with 0 where nothing failed, 1 where something did, 2 for a wrong option, 3 where the
    model, the scenario or threadline itself broke.
    """
    plan = plan_for(what, driver, read_defaults())
    entries, expired = _known({target.name: target for _, target in plan}, known)
    folder, trouble = make_folder(seed)
    base = PROFILES[profile]
    job = Job(
        *("", ""),  # scenario and driver, which differ
        engine=engine,
        seed=seed,
        steps=(depth or base.depth) if engine == "exhaust" else (steps or base.steps),
        runs=_runs(engine, runs, seconds, base),
        folder=str(folder),
        hang_s=HANG_S if seconds else SLOW_S,
        shows_log=log,
    )
    jobs = [replace(job, scenario=name, driver=target.name) for name, target in plan]
    terminal = Terminal(trouble, known=KnownText(entries, expired))
    jobs = list(_knowing(jobs, entries))
    sys.exit(_run(jobs, [target for _, target in plan], terminal, folder, seconds))


def _known(targets: Mapping[str, Target], file: Path | None) -> tuple[list[Known], list[Known]]:
    """Return the known failures of these drivers, and those that were known until today.

    They stand in a file, and in the drivers themselves.
    """
    found = [
        *read_known(file or known_file()),
        *(
            replace(entry, driver=entry.driver or name)
            for name, target in targets.items()
            for entry in target.driver.known
        ),
    ]
    own = [entry for entry in found if not entry.driver or entry.driver in targets]
    today = date.today()
    expired = [entry for entry in own if entry.has_expired(today)]
    return [entry for entry in own if entry not in expired], expired


def _knowing(jobs: Iterable[Job], entries: Sequence[Known]) -> Iterator[Job]:
    """Yield each job with what is known of its driver; the first of each plays the traces of it."""
    met: set[str] = set()
    for job in jobs:
        known = [asdict(replace(e, until=None)) for e in entries if e.driver in ("", job.driver)]
        yield replace(job, known=known, replays_known=job.driver not in met)
        met.add(job.driver)


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
