"""`threadline mutants`: which known bugs are found, how soon, and in how few steps."""

from __future__ import annotations

import sys

import click
from rich.console import Console
from rich.table import Table

from ..campaign.mutant import Kill, Mutant, kill
from ..defaults import read_defaults
from ..loading import BadName, load, load_target
from .cli_names import usage_errors

FILE_WIDTH = 140  # columns of what is no terminal, in which no row has to be folded


@click.command()
@click.option(
    "--engine",
    type=click.Choice(["explore", "hypothesis"]),
    default="explore",
    show_default=True,
    help="Which engine hunts them.",
)
@click.option("--runs", type=click.IntRange(min=1), help="Runs after which a mutant lives.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@usage_errors
def mutants(engine: str, runs: int | None, seed: int) -> None:
    """Hunt the known bugs, and print how each died.

    Exits with 0 where all died in as few steps as they are known to need, else with 1.
    """
    table = Table(box=None, pad_edge=False)
    for heading in ("mutant", "died of", "scenario", "runs", "seconds", "steps", "least"):
        number = heading in ("runs", "seconds", "steps", "least")
        table.add_column(heading, justify="right" if number else "left", overflow="fold")
    kills = []
    with Console(stderr=True).status("hunting") as status:
        for name, mutant in _all_mutants():
            status.update(f"hunting {mutant.name}")
            limit = runs or Mutant.RUNS_MAX * (2 if engine == "hypothesis" else 1)
            kills.append(kill(mutant, load_target(name), engine=engine, seed=seed, runs_max=limit))
            table.add_row(*row_of(kills[-1]))
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, FILE_WIDTH)
    console.print(table)
    alive = [one.mutant.name for one in kills if one.signature is None]
    console.print(f"{len(kills) - len(alive)} of {len(kills)} died", highlight=False)
    if alive:
        console.print(f"alive: {', '.join(alive)}", highlight=False)
    sys.exit(0 if all(one.is_minimal for one in kills) else 1)


def _all_mutants() -> list[tuple[str, Mutant]]:
    """Return the mutants that the project lists, each with its MODULE:NAME."""
    found = []
    for name in read_defaults().mutants:
        group = load(name)
        if not isinstance(group, tuple) or not all(isinstance(item, Mutant) for item in group):
            raise BadName(f"{name} is {group!r}; list a tuple of mutants under its name")
        module = name.partition(":")[0]
        found += [(f"{module}:{mutant.name}", mutant) for mutant in group]
    return found


def row_of(one: Kill) -> tuple[str, ...]:
    """Return what the table tells of one mutant, column by column."""
    scenario = one.mutant.scenario.__name__.lower()
    if one.signature is None:
        return one.mutant.name, "alive", scenario, f"{one.runs:,}", f"{one.seconds:.2f}", "", ""
    least = " or ".join(map(str, one.known_least))
    return (
        one.mutant.name,
        str(one.signature),
        scenario,
        f"{one.runs:,}",
        f"{one.seconds:.2f}",
        str(one.steps),
        least or "unknown",
    )
