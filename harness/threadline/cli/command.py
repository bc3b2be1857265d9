"""The command `threadline`: its subcommands, and the lists of what a project has."""

from __future__ import annotations

from shutil import get_terminal_size
from textwrap import wrap

import click

from ..defaults import read_defaults
from ..loading import BadName, load_scenario, load_target
from .accept import accept
from .bisect import bisect
from .check import check
from .cli_names import tell, usage_errors
from .coverage import coverage
from .export import export
from .fuzz import fuzz
from .leaks import leaks
from .mutants import mutants
from .nightly import nightly
from .replay import minimise, replay
from .report import compare, report
from .sight import sight

WIDE = 14  # columns of the names of scenarios


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.version_option(package_name="threadline")
def threadline() -> None:
    """Find the step at which a system does something else than its model."""


@click.command()
@click.option("--rules", is_flag=True, help="List the rules of each, too.")
@usage_errors
def scenarios(*, rules: bool) -> None:
    """List the scenarios of this project."""
    names = read_defaults().scenarios
    if not names:
        click.echo("this project lists no scenarios; write scenarios = ['MODULE:NAME'] under")
        click.echo("[tool.threadline] in pyproject.toml, or run threadline fuzz MODULE:NAME")
    for name in names:
        scenario = load_scenario(name)
        about = (scenario.__doc__ or "").partition("\n")[0]
        _echo(f"{scenario.__name__.lower():<{WIDE}}  {about}", cut=not rules)
        if rules:
            own = ", ".join(rule.name for rule in scenario.rules())
            _echo(f"{scenario.model.name}: {own}", indent=WIDE + 2)


@click.command()
@usage_errors
def drivers() -> None:
    """List the drivers of this project."""
    for name in read_defaults().drivers:
        tell(name)
        try:
            target = load_target(name)
        except BadName as error:
            _echo(f"not available: {error}", indent=2)
            continue
        lacks = ", ".join(operation.kind for operation in target.lacks)
        _echo(f"{target.model.name}{f', without {lacks}' if lacks else ''}", indent=2)
        if target.policy is not None:
            _echo(str(target.policy), indent=2)


def _echo(text: str, *, indent: int = 0, cut: bool = False) -> None:
    """Print a line, folded or cut to the width of the terminal: 80 columns where there is none."""
    wide = get_terminal_size((80, 24)).columns
    lines = [f"{text[: wide - 4].rstrip()} ..."] if cut and len(text) > wide else []
    for line in lines or wrap(text, max(20, wide - indent)):
        tell(" " * indent + line)


for _command in (
    accept,
    bisect,
    fuzz,
    replay,
    minimise,
    export,
    scenarios,
    drivers,
    check,
    mutants,
    leaks,
    nightly,
    report,
    compare,
    sight,
    coverage,
):
    threadline.add_command(_command)
