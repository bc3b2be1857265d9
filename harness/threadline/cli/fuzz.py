"""`threadline fuzz`: run a campaign, show how it goes, and say what it found."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from ..campaign.checkout import BadRevision
from ..campaign.corpus import CORPUS, Corpus
from ..campaign.entry import Entry
from ..campaign.folder import make_folder
from ..campaign.isolate import HANG_S
from ..campaign.job import ENGINES, SLOW_S, Job
from ..campaign.plan import Plan
from ..campaign.profile import PROFILES, Profile
from ..campaign.since import changed_since, touched
from ..defaults import read_defaults
from ..history import count
from ..known import known_file
from ..loading import BadName
from ..report.keeper import Keeper
from ..report.terminal import Terminal
from .cli_names import Duration, plan_for, tell, usage_errors
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

JUDGING = 0.1  # of the time, in which failures are replayed as it was before a change


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
@click.option("--overlap", is_flag=True, help="Let operations begin while others go on.")
@click.option(
    "--adversarial", is_flag=True, help="Overlap, and let tasks go on later than asyncio does."
)
@seed_option
@known_option
@workers_option
@click.option(
    "--since",
    metavar="REV",
    help="Play what reaches the lines changed since this revision; fail for what is new.",
)
@click.option(
    "--corpus",
    type=click.Path(path_type=Path, file_okay=False),
    default=CORPUS,
    show_default=True,
    help="With --since: what the last night found and reached; it is only read.",
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
    since: str | None,
    corpus: Path,
    *,
    overlap: bool,
    adversarial: bool,
    log: bool,
    full: bool,
) -> None:
    """Find what fails, and make it short.

    Runs scenarios against a system and its model side by side, and minimises each failure.
    DRIVER is MODULE:NAME or PATH:NAME, as in ./mine.py:MyDriver; without one, it is the project's
    first that fits the scenario. SCENARIO is a name that `threadline scenarios` lists, or
    MODULE:NAME; without one, it is all of the driver's model, or the model itself. Without either,
    every scenario of the project is run.

    Exits with 0 where nothing failed, 1 where something did, if only by chance, or where no step of
    a scenario was taken; 2 for a wrong option, 3 where model, scenario or threadline itself broke.
    """
    base, plan = PROFILES[profile], plan_for(what, driver, read_defaults())
    job = _job(engine, seed, base, seconds, runs, steps if engine != "exhaust" else depth)
    job = _at_once(job, overlap=overlap, adversarial=adversarial)
    folder, trouble = make_folder(seed)
    job = replace(job, folder=str(folder), shows_log=log, shows_all=full)
    entries, text = entries_of(job, plan, known or known_file())
    planned = _planned(entries, workers, seconds, since, corpus)
    keeper = _keeper(planned, folder, job, seconds) if since else None
    sys.exit(Campaign(planned, Terminal(trouble, known=text), folder, None, keeper, since).run())


def _job(
    engine: str, seed: int, base: Profile, seconds: float | None, runs: int | None, most: int | None
) -> Job:
    """Return a job of so much, as the profile says where no option does."""
    steps = most or (base.depth if engine == "exhaust" else base.steps)
    job = Job("", "", engine, seed, steps, _runs(engine, runs, seconds, base))
    return replace(job, hang_s=HANG_S if seconds else SLOW_S)


def _at_once(job: Job, *, overlap: bool, adversarial: bool) -> Job:
    """Return a job whose operations overlap, where they are to; raises BadName where none can."""
    if adversarial and job.engine == "exhaust":
        raise BadName("--adversarial draws what is late: use the engine explore or hypothesis")
    return replace(job, overlap=overlap or adversarial, adversarial=adversarial)


def _keeper(plan: Plan, folder: Path, job: Job, seconds: float | None) -> Keeper:
    """Return what makes the report of a change."""
    return Keeper(plan.entries, facts_of("fuzz", folder, job.seed, job.engine), folder, seconds)


def _planned(
    entries: Sequence[Entry], workers: int, seconds: float | None, since: str | None, corpus: Path
) -> Plan:
    """Return the plan of all entries, or of those that a change reaches, the corpus first."""
    began_s = time.monotonic() - process_age_s()
    ends_at_s = began_s + seconds - closing_s(seconds) if seconds else None
    if since is None:
        return Plan(entries, workers, ends_at_s)
    stored = Corpus(corpus, is_frozen=True)
    ends_at_s = ends_at_s - seconds * JUDGING if seconds and ends_at_s else None
    return Plan(_touched(entries, since, stored), workers, ends_at_s, stored)


def _touched(entries: Sequence[Entry], revision: str, corpus: Corpus) -> list[Entry]:
    """Return the entries that reach what was changed, and print which; raises BadName for what is
    no revision.
    """
    try:
        changed = changed_since(revision)
    except BadRevision as error:
        raise BadName(str(error)) from error
    found = touched(entries, changed, corpus.nights())
    names = ", ".join(entry.name for entry in found) or "none"
    files = count(len(changed.files), "file")
    tell(f"changed since {revision}: {files}; scenarios that reach it: {names}")
    return found


def _runs(engine: str, runs: int | None, seconds: float | None, base: Profile) -> int | None:
    """Return how many runs a job has; None where time or the search itself ends it."""
    if runs is not None:
        return runs
    if seconds is not None or engine == "exhaust":
        return None
    return base.examples if engine == "hypothesis" else base.runs
