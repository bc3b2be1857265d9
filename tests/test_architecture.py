"""Tests of the shape of the code: who may import whom, how long a file may be, what it may say."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Which of our packages each package may import, beside itself (the design, "Top level").
MAY_IMPORT: dict[str, set[str]] = {
    "harness": set(),
    "models": {"harness"},
    "scenarios": {"harness", "models"},
    "sessions": set(),
    "drivers": {"harness", "models", "sessions"},
}
PACKAGES = {*MAY_IMPORT, "tests"}
FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 40
VAGUE = {"util", "utils", "helper", "helpers", "common", "misc"}
MAY_LOAD_HYPOTHESIS = {"harness/machine.py", "harness/plugin.py"}
# What may be loaded late: the engine that brings Hypothesis, where it was asked for.
LATE = {"machine"}


def sources(folder: str = "") -> list[Path]:
    """Return the Python files that git knows or would take, under one top-level folder or all."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", f"{folder or '.'}"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    paths = [ROOT / line for line in listed.stdout.splitlines() if line.endswith(".py")]
    return sorted(path for path in paths if path.exists())


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def imported_packages(tree: ast.AST) -> set[str]:
    """Return the top-level packages that a file imports by name; relative imports are its own."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.partition(".")[0])
    return found


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def imports_inside(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    for function in functions(tree):
        for node in ast.walk(function):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                yield node


SOURCES = sources()
each_source = pytest.mark.parametrize("path", SOURCES, ids=name)


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_only_what_its_layer_allows(package: str) -> None:
    """
    No file reaches into a package that its own package must not know.
    """
    forbidden = PACKAGES - MAY_IMPORT[package] - {package}

    assert {
        name(path): found
        for path in sources(package)
        if (found := imported_packages(parsed(path)) & forbidden)
    } == {}


def test_finds_imports_of_each_form() -> None:
    """
    An import is seen with and without from, inside functions too, and not where it is relative.
    """
    tree = ast.parse("import a.b, c\nfrom d.e import f\nfrom . import g\ndef h(): import i")

    assert imported_packages(tree) == {"a", "c", "d", "i"}


@each_source
def test_is_short(path: Path) -> None:
    """
    A file has at most 300 lines.
    """
    assert len(path.read_text("utf-8").splitlines()) <= FILE_LINES_MAX


@each_source
def test_has_short_functions(path: Path) -> None:
    """
    A function has at most 40 lines, its decorators not counted.
    """
    long = [
        function.name
        for function in functions(parsed(path))
        if (function.end_lineno or 0) - function.lineno >= FUNCTION_LINES_MAX
    ]

    assert long == []


@each_source
def test_begins_with_one_sentence(path: Path) -> None:
    """
    The first line of a file says its job in one sentence, without the word "module".
    """
    tree = parsed(path)
    first = (ast.get_docstring(tree) or "").partition("\n")[0]

    assert first.endswith((".", "?")) or not tree.body
    assert ". " not in first
    assert "module" not in first.lower()


@each_source
def test_has_a_name_that_says_something(path: Path) -> None:
    """
    No file is a drawer for everything.
    """
    assert VAGUE.isdisjoint(path.stem.split("_"))


@each_source
def test_imports_hypothesis_in_one_place(path: Path) -> None:
    """
    Only the machine and the plugin know Hypothesis; tests may.
    """
    allowed = name(path) in MAY_LOAD_HYPOTHESIS or name(path).startswith("tests/")

    assert allowed or "hypothesis" not in imported_packages(parsed(path))


@each_source
def test_imports_at_its_top(path: Path) -> None:
    """
    Imports stand at the top, except in the plugin and where Hypothesis's engine is loaded.
    """
    inside = {getattr(node, "module", None) for node in imports_inside(parsed(path))}

    assert name(path) == "harness/plugin.py" or inside <= LATE


@pytest.mark.parametrize(
    "loaded", ["harness", "harness.explore", "harness.run", "harness.minimise", "harness.exhaust"]
)
def test_loads_no_hypothesis(loaded: str) -> None:
    """
    Exploring, replaying and minimising start without Hypothesis, and so start fast.
    """
    shown = subprocess.run(
        [sys.executable, "-c", f"import sys, {loaded}; print('hypothesis' in sys.modules)"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )

    assert shown.stdout == "False\n"
