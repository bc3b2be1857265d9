"""What the nightly command plays beside the ordinary suite."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib

import pytest

from tests.project import ROOT


@pytest.mark.slow
def test_nightly_command_attacks_the_service() -> None:
    """`make nightly` runs pytest on all of tests/, with the marker that each attack has."""
    recipe = re.search(r"^nightly: ; uv run pytest (.*?) &&", (ROOT / "Makefile").read_text(), re.M)
    assert recipe is not None
    words = shlex.split(recipe[1])
    assert words[:2] == ["-n", "auto"]
    options = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]
    assert options["ini_options"]["testpaths"] == ["tests"]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *words[2:], "tests/outside"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = {path.name for path in (ROOT / "tests/outside").glob("test_*.py")}
    assert {line.partition("::")[0].rpartition("/")[2] for line in found.splitlines()} >= files
    assert "deselected" not in found
