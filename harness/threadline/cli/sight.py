"""`threadline sight`: which small changes of a system the harness does not see."""

from __future__ import annotations

import json
import math
import sys
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from ..campaign.checkout import BadRevision
from ..campaign.corpus import CORPUS
from ..defaults import read_defaults
from ..loading import BadName, Target
from ..sight.analysis import Analysis, analyse
from ..sight.crew import SightFailed
from ..sight.equivalent import FILE, read_equivalents, reasons_for
from ..sight.mutants import Mutant, mutants_of, sampled, system_of
from ..sight.results import Results
from ..sight.schema import as_json
from ..sight.since import changed_lines, of_changed
from ..sight.told import told
from ..sight.verdict import Plan, score
from ..trace import versions
from ..whole_file import write_whole
from .cli_names import Duration, asked_for, scenario_names, target_for, tell, usage_errors
from .running import BROKEN, Workers, seed_option

WRITTEN = {"json": "report", "page": "page"}


@click.command()
@click.argument("words", metavar="[MODULE:NAME]", nargs=-1)
@click.option("--driver", help="MODULE:NAME of the driver; the project's own, if not given.")
@click.option("--package", "packages", multiple=True, help="Package or module of the system.")
@click.option("--scenario", "scenarios", multiple=True, help="Scenario; all that fit, else.")
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    default=200,
    show_default=True,
    help="How many mutants are tried, at most.",
)
@click.option(
    "--since", metavar="REV", help="Only mutants of functions changed since this revision."
)
@click.option("--for", "seconds", type=Duration(), help="Try no more after this time: 60s, 5m.")
@click.option(
    "--runs",
    type=click.IntRange(min=1),
    default=Plan.__dataclass_fields__["runs"].default,
    show_default=True,
    help="Runs after which a mutant has survived.",
)
@seed_option
@click.option(
    "--workers",
    type=Workers(),
    default="auto",
    show_default=True,
    help="Mutants that are tried at the same time; auto is one a core.",
)
@click.option(
    "--at-least",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="Exit with 1 where a smaller share is killed.",
)
@click.option(
    "--json",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a report in the schema of mutation testing.",
)
@click.option(
    "--page",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the same as a page: the sources, with each mutant in its place.",
)
@click.option("--kills", is_flag=True, help="List the mutants that were killed, too.")
@usage_errors
def sight(
    words: tuple[str, ...],
    driver: str | None,
    scenarios: tuple[str, ...],
    at_least: float | None,
    file: Path | None,
    page: Path | None,
    *,
    kills: bool,
    **how: Any,
) -> None:
    """Change a system a little, many times, and see what notices.

    Each change is one that people make by mistake: a boundary off by one, a
    call left out. One that survives shows what no scenario, model or census
    looks at. Exits with 1 below --at-least.
    """
    try:
        analysis = _analysed(asked(words, driver, scenarios), **how)
    except SightFailed as error:
        tell(f"threadline: {error}", err=True)
        sys.exit(BROKEN)
    tell(*told(analysis, kills=kills))
    document = as_json(analysis, versions()["threadline"])
    if file is not None:
        written("json", file, json.dumps(document, indent=1).encode("ascii") + b"\n")
    if page is not None:
        from ..sight.page import page_of  # late: what makes it would slow down the other commands

        written("page", page, page_of(document).encode("utf-8"))
    reached = score(analysis.results)
    if at_least is not None and reached < at_least:
        tell(f"{reached:.1f} % is less than the {at_least:g} % that were asked for")
        sys.exit(1)


def asked(
    words: tuple[str, ...], driver: str | None, scenarios: tuple[str, ...]
) -> tuple[Target, list[str]]:
    """Return the driver and the scenarios that the command line names."""
    defaults = read_defaults()
    driver, named = asked_for(words, driver, defaults)
    named += scenarios
    target = target_for(driver, named, defaults)
    return target, scenario_names(named, defaults, target)


def _analysed(
    asked: tuple[Target, list[str]],
    packages: tuple[str, ...],
    sample: int,
    seconds: float | None,
    runs: int,
    seed: int,
    workers: int,
    since: str | None,
) -> Analysis:
    target, names = asked
    corpus = str(CORPUS) if CORPUS.is_dir() else ""
    ends_at_s = time.monotonic() + (seconds or math.inf)
    sources = system_of(target, packages)
    modules = [source.module for source in sources]
    plan = Plan(target.name, names, modules, seed=seed, runs=runs, corpus=corpus)
    mutants = mutants_of(sources)
    reasons = reasons_for(read_equivalents(Path(FILE)), mutants, sources)
    tried = sampled(_changed(mutants, since) if since else mutants, sample, seed)

    def is_over() -> bool:
        return time.monotonic() >= ends_at_s

    before = Results(plan, sources, mutants)
    with Console(stderr=True).status("loading") as status:
        tells = status.update
        analysis = analyse(plan, tried, len(mutants), reasons, workers, is_over, tells, before)
    if before.trouble:
        tell(f"threadline: {before.trouble}", err=True)
    return analysis


def _changed(mutants: list[Mutant], since: str) -> list[Mutant]:
    try:
        return of_changed(mutants, changed_lines(since))
    except BadRevision as error:
        raise BadName(f"--since {since}: {error}") from error


def written(option: str, file: Path, content: bytes) -> None:
    """Write a file that an option names, and tell where it is; raises BadName."""
    try:
        write_whole(file, content)
    except OSError as error:
        raise BadName(f"{file} cannot be written: {error}; give another with --{option}") from error
    tell(f"{WRITTEN[option]}: {file}")
