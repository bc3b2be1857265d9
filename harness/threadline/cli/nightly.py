"""`threadline nightly`: the campaign of a night, which remembers the nights before."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

import click

from ..campaign.corpus import CORPUS, TRACES_MAX, Corpus
from ..campaign.folder import make_folder
from ..campaign.hands import Hands, Local
from ..campaign.isolate import HANG_S
from ..campaign.job import Job
from ..campaign.plan import Plan
from ..campaign.profile import PROFILES
from ..defaults import read_defaults
from ..known import known_file
from ..report.keeper import Keeper
from ..report.terminal import Terminal
from .cli_names import Duration, Size, Unusable, plan_of_all, tell, usage_errors
from .running import (
    Campaign,
    closing_s,
    entries_of,
    facts_of,
    known_option,
    process_age_s,
    seed_option,
    workers_option,
)

ENGINE = "explore"
STEPS = PROFILES["nightly"].steps


@click.command()
@click.option(
    "--for",
    "seconds",
    type=Duration(),
    default="30m",
    show_default=True,
    help="Time for all, from the start to the last report: 60s, 5m, 2h.",
)
@workers_option
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
@seed_option
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
@known_option
@click.option(
    "--memory-max",
    type=Size(),
    default="2GiB",
    show_default=True,
    help="Memory that a worker may hold; more is a failure of the step it is in.",
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Play on the workers of a Dask cluster, as tcp://host:8786 (extra: cluster).",
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
    scheduler: str | None,
) -> None:
    """Play everything for a night, and report what is new.

    Known failures come first, then the corpus, the failures of earlier nights before all else; then
    every scenario on every driver that it fits, the longer the more it still finds. What is found
    goes into the corpus, and into a report in reports/runs/<utc>-<seed>.

    Exits with 0 where nothing failed that is not accepted, 1 where something did or nothing was
    tried; 2 for a wrong option, 3 where a model, a scenario or threadline itself broke; 130 or 143
    where Ctrl-C or SIGTERM ended it.
    """
    began_s = time.monotonic() - process_age_s()
    hands = hands_of(scheduler) if scheduler else Local(workers)
    plan, missing = plan_of_all(drivers, scenarios, read_defaults())
    tell(*missing, err=True)
    folder, trouble = make_folder(seed)
    job = Job("", "", ENGINE, seed, STEPS, folder=str(folder), hang_s=HANG_S)
    job = replace(job, follows=True, memory_max_mib=memory_max)
    entries, text = entries_of(job, plan, known or known_file())
    ends_at_s = began_s + seconds - closing_s(seconds)
    planned = Plan(entries, hands.workers, ends_at_s, Corpus(corpus, corpus_max))
    keeper = Keeper(entries, facts_of("nightly", folder, seed, ENGINE), folder, seconds, began_s)
    terminal = Terminal(trouble, known=text)
    sys.exit(Campaign(planned, terminal, folder, hands, keeper).run())


def hands_of(address: str) -> Hands:
    """Return the workers of a cluster. Raises Unusable where there are none."""
    try:
        from ..campaign.cluster import Cluster, NoCluster  # which few have installed
    except ModuleNotFoundError as error:
        raise Unusable(
            f"--scheduler needs {error.name}: install threadline[cluster], an extra of its own"
        ) from error
    try:
        return Cluster(address)
    except NoCluster as error:
        raise Unusable(str(error)) from error
