"""`threadline nightly`: the campaign of a night, which remembers the nights before."""

from __future__ import annotations

import secrets
import sys
import time
from dataclasses import replace
from pathlib import Path

import click
import psutil

from ..campaign.corpus import TRACES_MAX, Corpus
from ..campaign.folder import make_folder
from ..campaign.isolate import HANG_S
from ..campaign.job import Job
from ..campaign.plan import Plan
from ..campaign.profile import PROFILES
from ..defaults import read_defaults
from ..known import known_file
from ..report.keeper import Keeper
from ..report.terminal import Terminal
from ..trace import versions
from .cli_names import Duration, Size, plan_of_all, tell, usage_errors
from .running import Campaign, Workers, entries_of

CORPUS = Path("reports/corpus")
STEPS = PROFILES["nightly"].steps
CLOSING = 0.01  # of the time, in which the reports are written
CLOSING_MIN_S, CLOSING_MAX_S = 0.4, 5.0


@click.command()
@click.option(
    "--for",
    "seconds",
    type=Duration(),
    default="30m",
    show_default=True,
    help="Time for all, from the start to the last report: 60s, 5m, 2h.",
)
@click.option(
    "--workers",
    type=Workers(),
    default="auto",
    show_default=True,
    help="Scenarios that are played at the same time; auto is one a core.",
)
@click.option(
    "--driver",
    "drivers",
    multiple=True,
    metavar="MODULE:NAME",
    help="How a system is reached; all of the project, if not given. Can be repeated.",
)
@click.option(
    "--scenario",
    "scenarios",
    multiple=True,
    metavar="NAME",
    help="What is played; all that fit a driver, if not given. Can be repeated.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=lambda: secrets.randbits(32),
    help="Fixes every draw; drawn if not given.",
)
@click.option(
    "--corpus",
    type=click.Path(path_type=Path, file_okay=False),
    default=CORPUS,
    show_default=True,
    help="Folder of what earlier nights have found and reached.",
)
@click.option(
    "--corpus-max",
    type=click.IntRange(min=1),
    default=TRACES_MAX,
    show_default=True,
    help="Traces of each kind that the corpus keeps.",
)
@click.option(
    "--known",
    type=click.Path(path_type=Path),
    help="File of known failures; known.toml beside pyproject.toml, if not given.",
)
@click.option(
    "--memory-max",
    type=Size(),
    default="2GiB",
    show_default=True,
    help="Memory that a worker may hold; more is a failure of the step it is in.",
)
@usage_errors
def nightly(
    seconds: float,
    workers: int,
    drivers: tuple[str, ...],
    scenarios: tuple[str, ...],
    seed: int,
    corpus: Path,
    corpus_max: int,
    known: Path | None,
    memory_max: float,
) -> None:
    """Play everything for a night, and report what is new.

    Known failures are played first, then what the corpus has, the failures of earlier nights before
    all else; then every scenario on every driver that it fits, the longer the more it still finds.
    What is found is kept in the corpus, and reported in reports/runs/<utc>-<seed>.

    Exits with 0 where nothing failed that is not accepted, 1 where something did or nothing was
    tried; 2 for a wrong option, 3 where a model, a scenario or threadline itself broke; 130 or 143
    where Ctrl-C or SIGTERM ended it.
    """
    began_s = time.monotonic() - process_age_s()
    plan, missing = plan_of_all(drivers, scenarios, read_defaults())
    tell(*missing, err=True)
    folder, trouble = make_folder(seed)
    job = Job("", "", "explore", seed, STEPS, folder=str(folder), hang_s=HANG_S)
    job = replace(job, follows=True, memory_max_mib=memory_max)
    entries, text = entries_of(job, plan, known or known_file())
    closing_s = min(CLOSING_MAX_S, max(CLOSING_MIN_S, CLOSING * seconds))
    planned = Plan(entries, workers, began_s + seconds - closing_s, Corpus(corpus, corpus_max))
    facts = {
        "name": folder.name,
        "command": "nightly",
        "version": versions()["threadline"],
        "seed": seed,
        "engine": "explore",
        "versions": versions(),
    }
    keeper = Keeper(entries, facts, folder, seconds, began_s)
    sys.exit(Campaign(planned, Terminal(trouble, known=text), folder, keeper=keeper).run())


def process_age_s() -> float:
    """Return for how many seconds this process runs: imports are part of the time given."""
    return max(0.0, time.time() - psutil.Process().create_time())
