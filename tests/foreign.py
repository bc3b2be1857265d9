"""A project, and traces that strangers made for it; what a command does with them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path

import pytest
from click.testing import Result

from tests.project import ROOT, forget, run

SHELF = (ROOT / "tests" / "toys/shelf.py").read_text("utf-8")
PROJECT = """
[tool.threadline]
drivers = ["own_shelf:listed", "own_shelf:needing"]
mutants = [
    "tests.mutants.store:MUTANTS",
    "tests.mutants.registry:MUTANTS",
    "tests.mutants.leaks:MUTANTS",
]
scenarios = ["own_shelf:Shelf"]
"""
FUNCTIONS = """
import os

def listed(places=2, trap=""):
    if trap:
        open("trapped", "w").close()
    return Leaky(places)

def needing(places):
    return Leaky(places)

def unlisted(**settings):
    open("trapped", "w").close()
    return Leaky(2)

class Trap:
    def __init__(self, **settings):
        open("trapped", "w").close()

trap = Trap
"""
TRAP = f"open('trapped', 'w').close()\n{SHELF}"
HEADER = {
    "threadline": 1,
    "contract": "shelf",
    "driver": "own_shelf:Leaky",
    "scenario": "own_shelf:Shelf",
    "settings": {"places": 2},
}
PUT = {"step": 1, "operation": "put", "book": "Emma"}
TAKE = {"step": 2, "operation": "take", "book": "Emma"}


@contextmanager
def foreign_project(factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Go to a project with files that a trace may load, and with many that it may not."""
    outside, here = factory.mktemp("outside"), factory.mktemp("project")
    (outside / "trap.py").write_text(TRAP, "utf-8")
    _written(here, outside)
    path = [*sys.path]
    sys.path.append(str(here / "source"))
    with chdir(here):
        yield here
    sys.path[:] = path
    forget(here.parent)


def _written(here: Path, outside: Path) -> None:
    """Write the files of the project: those of its own, and traps for who imports any others."""
    (here / "pyproject.toml").write_text(PROJECT, "utf-8")
    (here / "own_shelf.py").write_text(SHELF + FUNCTIONS, "utf-8")
    for name in ("deep/inner", "source"):
        (here / name).mkdir(parents=True)
    (here / "deep" / "__init__.py").touch()
    (here / "deep" / "inner" / "shelves.py").write_text(SHELF, "utf-8")
    (here / "source" / "source_shelf.py").write_text(SHELF, "utf-8")
    (here / "near.py").symlink_to(here / "own_shelf.py")
    (here / "json.py").write_text(TRAP, "utf-8")
    (here / "linked.py").symlink_to(outside / "trap.py")
    (here / "linked_package").symlink_to(outside)
    for name in (".venv/lib/site-packages", "vendored/site-packages", "environment/inner", "own"):
        (here / name).mkdir(parents=True)
        (here / name / "trap.py").write_text(TRAP, "utf-8")
    (here / "environment" / "pyvenv.cfg").touch()
    (here / "own" / "__init__.py").symlink_to(outside / "trap.py")


def lines(*values: object) -> bytes:
    return b"".join(json.dumps(value).encode("ascii") + b"\n" for value in values)


def with_header(**changed: object) -> bytes:
    return lines({**HEADER, **changed}, PUT, TAKE)


def is_clean(result: Result) -> bool:
    """Return whether a command has ended as it should, whatever it was given."""
    return (
        (result.exception is None or isinstance(result.exception, SystemExit))
        and result.exit_code in (0, 1, 2)
        and "Traceback" not in result.output
        and (result.exit_code != 2 or len(result.stderr.splitlines()) == 1)
        and result.output.replace("\n", "").isprintable()
    )


def told_by(*words: str) -> tuple[int, str]:
    """Return the exit status, and the last clause of the one line that a command tells."""
    result = run(*words)
    assert is_clean(result), result.output
    return result.exit_code, result.stderr.rpartition("; ")[2].strip()
