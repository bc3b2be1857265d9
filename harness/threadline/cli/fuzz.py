"""`threadline fuzz`: run a campaign, show how it goes, and say what it found."""

from __future__ import annotations

import secrets
import sys
import time
from dataclasses import replace
from pathlib import Path

import click

from ..campaign.folder import make_folder
from ..campaign.isolate import HANG_S
from ..campaign.job import ENGINES, SLOW_S, Job
from ..campaign.plan import Plan
from ..campaign.profile import PROFILES, Profile
from ..defaults import read_defaults
from ..known import known_file
from ..report.terminal import Terminal
from .cli_names import Duration, plan_for, usage_errors
from .running import Campaign, Workers, entries_of


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
    "--for", "seconds", type=Duration(), help="Time for all scenarios, shared out: 60s, 5m."
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
@click.option(
    "--workers",
    type=Workers(),
    default="auto",
    show_default=True,
    help="Scenarios that are played at the same time; auto is one a core.",
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
    workers: int,
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
    began_s = time.monotonic()
    plan = plan_for(what, driver, read_defaults())
    folder, trouble = make_folder(seed)
    base = PROFILES[profile]
    most = (depth or base.depth) if engine == "exhaust" else (steps or base.steps)
    job = Job("", "", engine, seed, most, _runs(engine, runs, seconds, base), folder=str(folder))
    job = replace(job, hang_s=HANG_S if seconds else SLOW_S, shows_log=log, shows_all=full)
    entries, text = entries_of(job, plan, known or known_file())
    planned = Plan(entries, workers, began_s + seconds if seconds else None)
    sys.exit(Campaign(planned, Terminal(trouble, known=text), folder).run())


def _runs(engine: str, runs: int | None, seconds: float | None, base: Profile) -> int | None:
    """Return how many runs a job has; None where time or the search itself ends it."""
    if runs is not None:
        return runs
    if seconds is not None or engine == "exhaust":
        return None
    return base.examples if engine == "hypothesis" else base.runs
