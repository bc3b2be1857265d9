"""`threadline coverage`: what scenarios have called and reached, and what they have not."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from ..sight.analysis import clean
from ..sight.covered import as_json, covered, files_of, told
from ..sight.crew import Crew, SightFailed
from ..sight.mutants import system_of
from ..sight.verdict import Plan
from .cli_names import tell, usage_errors
from .running import BROKEN, Workers, seed_option
from .sight import asked, written


@click.command()
@click.argument("words", metavar="[MODULE:NAME]", nargs=-1)
@click.option("--driver", help="MODULE:NAME of the driver; the project's own, if not given.")
@click.option("--package", "packages", multiple=True, help="Package or module of the system.")
@click.option("--scenario", "scenarios", multiple=True, help="Scenario; all that fit, else.")
@click.option(
    "--runs",
    type=click.IntRange(min=1),
    default=300,
    show_default=True,
    help="Runs of each scenario, at most.",
)
@seed_option
@click.option(
    "--workers",
    type=Workers(),
    default="auto",
    show_default=True,
    help="Scenarios that are played at the same time; auto is one a core.",
)
@click.option(
    "--json",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the same as JSON.",
)
@usage_errors
def coverage(
    words: tuple[str, ...],
    driver: str | None,
    packages: tuple[str, ...],
    scenarios: tuple[str, ...],
    runs: int,
    seed: int,
    workers: int,
    file: Path | None,
) -> None:
    """Play scenarios, and list what they have never reached.

    Exits with 1 where a goal of a scenario, sometimes(...), was not met.
    """
    target, names = asked(words, driver, scenarios)
    system = system_of(target, packages)
    model = files_of(target, system)
    modules = [source.module for source in system]
    watches = [source.file for source in model]
    plan = Plan(target.name, names, modules, seed=seed, runs=runs, watches=watches)
    crew = Crew(plan, workers)
    try:
        reached = crew.reached(names)
    except SightFailed as error:
        tell(f"threadline: {error}", err=True)
        sys.exit(BROKEN)
    finally:
        crew.close()
    found = covered(plan, target, system, model, clean(reached))
    tell(*told(found))
    if file is not None:
        written("json", file, json.dumps(as_json(found), indent=1).encode("ascii") + b"\n")
    sys.exit(1 if found.unmet else 0)
