"""The wheel in an empty environment: the README's system, model and driver, word for word."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.doc_pages import FENCED
from tests.project import ROOT

README = (ROOT / "README.md").read_text("utf-8")
CHAPTER = README.partition("## A model and a driver")[2].partition("\n## In CI")[0]
SYSTEM, MINE = (text for language, text in FENCED.findall(CHAPTER) if language == "python")
BLOCKS = [text for language, text in FENCED.findall(CHAPTER) if not language]
FAILURE = next(text for text in BLOCKS if "->" in text)
FIXED = SYSTEM.replace('return f"{user}:{thread}"', "return (user, thread)")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel, install it into an empty environment, and return that."""
    folder = tmp_path_factory.mktemp("wheel")
    uv("build", "--wheel", "--quiet", "--out-dir", str(folder), str(ROOT))
    uv("venv", "--quiet", "--python", sys.executable, str(folder / "env"))
    (wheel,) = folder.glob("*.whl")
    uv("pip", "install", "--quiet", "--python", str(folder / "env/bin/python"), str(wheel))
    return folder


@pytest.fixture
def mine(environment: Path, tmp_path: Path) -> Path:
    """Go to a folder with the README's two files, and a package called models of the user's own."""
    (tmp_path / "chat.py").write_text(SYSTEM, "utf-8")
    (tmp_path / "mine.py").write_text(MINE, "utf-8")
    (tmp_path / "models").mkdir()
    (tmp_path / "models/__init__.py").write_text('"""The user\'s own."""\nLANGUAGE = 1\n', "utf-8")
    return tmp_path


def uv(*words: str) -> None:
    subprocess.run(["uv", *words], check=True, capture_output=True, text=True)


def run(environment: Path, folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    """Run a command line of the README in a folder, with the environment's programs alone."""
    program, *words = line.split()
    kept = {name: os.environ[name] for name in ("HOME", "TMPDIR", "LANG") if name in os.environ}
    path = f"{environment / 'env/bin'}:/usr/bin:/bin"
    return subprocess.run(
        [str(environment / "env/bin" / program), *words],
        cwd=folder, env={**kept, "PATH": path, "COLUMNS": "80"}, capture_output=True, text=True,
    )  # fmt: skip


def traces(folder: Path, name: str) -> list[Path]:
    return sorted((folder / "reports/runs").glob(f"*/{name}.jsonl"))


def test_the_wheel_ships_the_library_alone(environment: Path) -> None:
    """Its files are those of the package threadline, and what describes them."""
    (wheel,) = environment.glob("*.whl")

    with zipfile.ZipFile(wheel) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}

    assert {top for top in tops if not top.endswith(".dist-info")} == {"threadline"}
    assert len(tops) == 2


def test_the_wheel_ships_what_makes_a_page(environment: Path) -> None:
    """Templates, styles, scripts with their licence, and the schema of run.json."""
    (wheel,) = environment.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        shipped = {Path(name).name for name in archive.namelist()}

    assert shipped >= {"page.html", "page.css", "page.js", "uplot.js", "uplot.css"}
    assert shipped >= {"uplot-license.txt", "run-1.json"}
    assert shipped >= {"sight.html", "sight.css", "sight.js"}
    assert shipped >= {"elements.js", "elements-license.txt"}


def test_the_system_of_the_readme_fails_as_it_says(environment: Path, mine: Path) -> None:
    """check, fuzz, replay and pytest exit with 1, and the failure is the one that is shown."""
    checked = run(environment, mine, "threadline check mine:MyChat")
    fuzzed = run(environment, mine, "threadline fuzz mine:MyChat --seed 0")
    told = re.sub(r"\d{8}T\d{6}Z", "<utc>", fuzzed.stdout)
    (trace,) = traces(mine, "Chat-isolation-read")
    replayed = run(environment, mine, f"threadline replay {trace.relative_to(mine)}")
    tested = run(environment, mine, "pytest --threadline mine:MyChat")

    assert [checked.returncode, fuzzed.returncode] == [1, 1], checked.stderr + fuzzed.stderr
    assert FAILURE in told
    assert [replayed.returncode, tested.returncode] == [1, 1], replayed.stderr + tested.stderr
    assert "isolation: read(user='ana', thread='b:t') diverges at step 2" in replayed.stdout
    assert "mine.py::Chat[mine:MyChat]" in tested.stdout


@pytest.mark.slow
def test_the_fixed_system_passes(environment: Path, mine: Path) -> None:
    """
    With the key as a pair, the trace of the failure, check, fuzz, leaks and pytest exit with 0.
    """
    run(environment, mine, "threadline fuzz mine:MyChat --seed 0 --runs 20")
    (trace,) = traces(mine, "Chat-isolation-read")
    (mine / "chat.py").write_text(FIXED, "utf-8")
    lines = [
        "threadline check mine:MyChat",
        "threadline fuzz mine:MyChat --seed 0",
        f"threadline replay {trace.relative_to(mine)}",
        "threadline leaks mine:MyChat --seed 0",
        "pytest --threadline mine:MyChat",
    ]

    ended = [run(environment, mine, line) for line in lines]

    assert [each.returncode for each in ended] == [0] * 5, [each.stdout for each in ended]


def test_a_driver_can_be_given_as_a_path(environment: Path, mine: Path) -> None:
    """`fuzz ./mine.py:MyChat` finds the same, from wherever the file lies."""
    line = f"threadline fuzz ./{mine.name}/mine.py:MyChat --runs 20"
    fuzzed = run(environment, mine.parent, line)

    assert fuzzed.returncode == 1, fuzzed.stderr
    assert "isolation: read" in fuzzed.stdout
