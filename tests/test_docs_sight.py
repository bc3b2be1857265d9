"""What docs/sight.md says and shows is what `threadline sight` and `threadline coverage` do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from threadline.campaign import vacuous
from threadline.sight.edits import KINDS
from threadline.sight.trial import QUIET, TURN
from threadline.sight.verdict import Plan
from threadline.sight.worker import PATIENCE

from tests.doc_pages import README, page
from tests.project import ROOT, ran, run

KEYS, KEEPS = 'return f"{user}:{thread}"', "del said[:-100]"


@pytest.fixture
def fixed_chat(project: Path) -> Path:
    """Go to a folder with the chat log of the README, its bug fixed."""
    system, model = README.fenced("python")[:2]
    (project / "chat.py").write_text(put(system, KEYS, "return (user, thread)"), "utf-8")
    (project / "mine.py").write_text(model, "utf-8")
    return project


@pytest.fixture
def kept_chat(fixed_chat: Path) -> Path:
    """Go to a folder with that chat log, which keeps the last 100 texts alone."""
    file = fixed_chat / "chat.py"
    counted = "return len(said)"
    file.write_text(put(file.read_text("utf-8"), counted, f"{KEEPS}\n        {counted}"), "utf-8")
    assert f"`{KEEPS}`" in page("docs/sight.md").text
    return fixed_chat


def put(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1
    return text.replace(old, new)


def test_the_survivors_on_its_page_are_what_sight_prints(kept_chat: Path) -> None:
    """
    The chat log of the README has three mutants that nobody sees, once it has a limit.
    """
    sight = page("docs/sight.md")
    words = next(words[1:] for words in sight.commands() if words[1] == "sight")

    result = run(*words)

    assert result.exit_code == 0
    assert result.output.rstrip("\n") == sight.block("survived: ")


def lineless(text: str) -> str:
    """Return what sight prints without the numbers of lines, which move with what is above."""
    return re.sub(r"(?<=\.py):\d+", "", text)


@pytest.mark.slow
def test_the_survivors_of_the_queue_are_what_sight_prints(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    The list on the page about sight begins what the command above it prints.
    """
    sight = page("docs/sight.md")
    words = next(words[1:] for words in sight.commands() if "400" in words)
    monkeypatch.chdir(ROOT)

    output = ran("threadline", *words).stdout.decode("utf-8")

    assert lineless(output).startswith(lineless(sight.block("survived: sessions")) + "\n\nun")


def test_what_is_reached_on_its_page_is_what_coverage_prints(fixed_chat: Path) -> None:
    """
    Of the chat log of the README, everything is reached.
    """
    sight = page("docs/sight.md")
    words = next(words[1:] for words in sight.commands() if words[1] == "coverage")

    result = run(*words)

    assert result.exit_code == 0
    assert result.output.rstrip("\n") in sight.fenced()


def test_the_reason_on_its_page_makes_its_mutant_equivalent(kept_chat: Path) -> None:
    """
    The entry on the page about sight is one for a survivor that it shows.
    """
    sight = page("docs/sight.md")
    (entry,) = sight.fenced("toml")
    (kept_chat / "equivalent.toml").write_text(entry, "utf-8")

    result = run("sight", "mine:MyChat", "--seed", "0")

    assert result.output.splitlines()[-1] == (
        "11 of 11 mutants, seed 0: 8 killed, 2 survived, 1 equivalent; score 80.0 %"
    )


def test_the_changes_are_told() -> None:
    """
    The page about sight has each kind of change with what it does, in the order of its tables.
    """
    rows = page("docs/sight.md").table("change")

    assert [(row[0].strip("`"), row[1]) for row in rows] == list(KINDS.items())


def test_the_limits_of_sight_are_told() -> None:
    """
    The page about sight has the limits of a mutant as they are.
    """
    plan, text = Plan("", (), ()), " ".join(page("docs/sight.md").text.split())

    assert f"`--runs` have passed ({plan.runs} by default" in text
    assert f"after {plan.runs} runs, or {QUIET} that reach nothing new" in text
    assert f"in turns of {TURN} runs" in text
    slow = f"longer than {plan.hang_s:g} seconds, and than {plan.hang_s * PATIENCE:g} when"
    assert slow in text
    assert f"those that {plan.whole_s / 60:g} minutes had room for" in text
    assert f"played {vacuous.RUNS} runs of the scenario" in text
