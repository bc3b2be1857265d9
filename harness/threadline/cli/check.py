"""`threadline check`: does a driver keep its contract? Which operation does not, and how?"""

from __future__ import annotations

import sys

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..campaign.check import verdicts
from ..defaults import read_defaults
from ..failure import failure_text
from ..loading import load_scenario, load_target
from ..printable import printable
from .cli_names import scenario_names, usage_errors

MARKS = {True: "yes", False: "no", None: "-"}


@click.command()
@click.argument("driver", metavar="DRIVER")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@usage_errors
def check(driver: str, seed: int) -> None:
    """Check whether a driver does what its model says.

    Tries each operation of DRIVER (MODULE:NAME), and says which does not, and how.
    Exits with 0 where all that it offers is kept, else with 1; so where nothing could be tried.
    """
    target = load_target(driver)
    names = scenario_names((), read_defaults(), target)
    found = verdicts(target, [load_scenario(name) for name in names], seed)
    console = Console(highlight=False)
    table = Table("operation", "keeps the contract", "", box=None, pad_edge=False)
    for verdict in found:
        table.add_row(verdict.kind, MARKS[verdict.keeps], Text(printable(verdict.text)))
    console.print(table)
    for verdict in found:
        if verdict.failure is not None:
            text = failure_text(verdict.failure, notes=verdict.notes)
            console.print(Text(f"\n{text}"), soft_wrap=True)
    if all(verdict.keeps is None for verdict in found):
        console.print("nothing was tried, which is no success")
    sys.exit(0 if {verdict.keeps for verdict in found} in ({True}, {True, None}) else 1)
