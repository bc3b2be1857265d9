"""What the README, the help and the sample say is what the program does."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from threadline.cli.command import threadline

from tests.project import ROOT, project, run

__all__ = ["project"]

README = (ROOT / "README.md").read_text("utf-8")
FENCED: list[tuple[str, str]] = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.M)
BLOCKS = [text.rstrip("\n") for language, text in FENCED if not language]
(DRIVER,) = [text for language, text in FENCED if language == "python"]


def block(start: str) -> str:
    return next(text for text in BLOCKS if text.startswith(start))


def without_times(text: str) -> str:
    """Return a kill table without its seconds, which differ, and without trailing spaces."""
    return re.sub(r" +\d+\.\d\d +", "  ", re.sub(r" +$", "", text, flags=re.MULTILINE))


def without_lines(text: str) -> str:
    """Return a report without its lines of code, which move, and differ with Python's version."""
    return re.sub(r"\w+\.py:\d+", "FILE:LINE", text)


def commands() -> list[list[str]]:
    """Return the words after `threadline` of each command in the README."""
    lines = [line for text in BLOCKS for line in text.splitlines()]
    found = [re.search(r"uv run threadline (.*)", line) for line in lines]
    return [shlex.split(match[1]) for match in found if match and "replay " not in match[1]]


def test_the_failure_is_what_its_command_prints(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The failure that the README shows whole is printed by the command above it.
    """
    words = next(words for words in commands() if words[-1].endswith("CleansUpElsewhere"))
    monkeypatch.setenv("UV_RUN_RECURSION_DEPTH", "1")

    output = re.sub(r"\d{8}T\d{6}Z", "<utc>", run(*words).output)

    assert block("keys: ") in output


def test_the_leak_is_what_its_command_prints(project: Path) -> None:
    """
    The report that the README shows is printed by the command above it.
    """
    words = next(words for words in commands() if words[0] == "leaks")

    output = run(*words).output.replace(f"{ROOT}/", "")

    assert without_lines(block("LEAK ")) in without_lines(output)


@pytest.mark.slow
def test_the_kill_table_is_what_mutants_prints(project: Path) -> None:
    """
    The table of the README is printed by `threadline mutants`, but for the seconds.

    Row by row, test_mutants.py holds it to what each hunt finds.
    """
    output = run("mutants").output

    assert without_times(block("mutant ")) in without_times(output)


def test_the_help_is_the_help(project: Path) -> None:
    """
    The list of commands is what `threadline --help` prints.
    """
    assert block("Usage: threadline") == run("--help").output.rstrip("\n")


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_each_command_takes_its_options(words: list[str]) -> None:
    """
    Every command line in the README can be parsed: no option is unknown, no command gone.
    """
    command = threadline.commands[words[0]]

    with click.Context(command) as context:
        assert command.parse_args(context, words[1:]) == []


def test_the_driver_of_the_readme_keeps_its_contract(project: Path) -> None:
    """
    The driver to start from is complete, and shorter than 80 lines.
    """
    (project / "mine.py").write_text(DRIVER, "utf-8")

    result = run("check", "mine:MyDriver")

    assert result.exit_code == 0, result.output
    assert DRIVER.count("\n") < 80


def test_the_sample_is_what_replay_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The sample report is what `threadline replay` prints for the sample trace.
    """
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("UV_RUN_RECURSION_DEPTH", raising=False)
    sample = Path("reports/sample")

    result = run("replay", str(sample / "joined-keys.jsonl"))

    assert result.output == (sample / "joined-keys.txt").read_text("utf-8")


def test_the_architecture_fits_its_page() -> None:
    """
    ARCHITECTURE.md has at most 60 lines.
    """
    assert len((ROOT / "ARCHITECTURE.md").read_text("utf-8").splitlines()) <= 60
