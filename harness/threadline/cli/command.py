"""The command `threadline`: its subcommands, and the lists of what a project has."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table

from ..defaults import read_defaults
from ..loading import BadName, load_scenario, load_target
from .check import check
from .cli_names import usage_errors
from .fuzz import fuzz
from .leaks import leaks
from .mutants import mutants
from .replay import minimise, replay


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="threadline")
def threadline() -> None:
    """Find the step at which a system that keeps conversations parts from its model."""


@click.command()
@usage_errors
def scenarios() -> None:
    """List the scenarios of this project."""
    table = Table("scenario", "contract", "rules", "what it tries", box=None, pad_edge=False)
    for name in read_defaults().scenarios:
        scenario = load_scenario(name)
        about = (scenario.__doc__ or "").partition("\n")[0]
        rules = ", ".join(rule.name for rule in scenario.rules())
        table.add_row(scenario.__name__.lower(), scenario.contract.name, rules, about)
    Console().print(table)


@click.command()
@usage_errors
def drivers() -> None:
    """List the drivers of this project."""
    table = Table("driver", "contract", "policy", "lacks", box=None, pad_edge=False)
    table.columns[0].overflow = "fold"
    for name in read_defaults().drivers:
        try:
            target = load_target(name)
        except BadName as error:
            table.add_row(name, "not available:", str(error), "")
            continue
        lacks = ", ".join(operation.kind for operation in target.lacks) or "nothing"
        table.add_row(name, target.contract.name, str(target.policy), lacks)
    Console().print(table)


for _command in (fuzz, replay, minimise, scenarios, drivers, check, mutants, leaks):
    threadline.add_command(_command)
