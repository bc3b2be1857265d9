"""The templates for CI: their steps are played in order, in a fresh clone."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.history import git
from tests.project import GUARD_S, ROOT

TEMPLATES = ROOT / "docs" / "ci"
NAMES = ("nightly.yml", "check.yml")


def loaded(name: str) -> dict[Any, Any]:
    values = yaml.safe_load((TEMPLATES / name).read_text("utf-8"))
    assert isinstance(values, dict)
    return values


def steps(name: str) -> list[str]:
    """Return the commands of a template, in order."""
    (job,) = loaded(name)["jobs"].values()
    return [step["run"] for step in job["steps"] if "run" in step]


def scripts() -> list[str]:
    """Return the commands of the jobs for GitLab."""
    jobs = [job for job in loaded("gitlab-ci.yml").values() if "script" in job]
    return [line for job in jobs for line in job["script"]]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a fresh clone of the project, with one change that is not on its origin."""
    folder = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    git(folder, "update-ref", "refs/remotes/origin/before", "HEAD")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_steps_of_a_template_pass(clone: Path, name: str) -> None:
    """A clean project passes; the night leaves a corpus and a report, and its summary is taken."""
    file = clone / "drivers" / "memory_store.py"
    file.write_text(file.read_text("utf-8").replace("turns.append(text)", "turns += [text]"))
    summary = clone / "summary"
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    settings = {
        "GITHUB_STEP_SUMMARY": str(summary),
        "GITHUB_BASE_REF": "before",
        "THREADLINE_FOR": "90s",
    }
    for command in steps(name):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=clone,
            env={**environment, **settings},
            capture_output=True,
            text=True,
            timeout=GUARD_S,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    if name == "nightly.yml":
        assert summary.read_text("utf-8").partition("\n")[0]
        assert list(clone.glob("reports/corpus/nights/*.json"))


def test_templates_call_the_same_commands() -> None:
    """GitLab's commands are those of GitHub, but for the names of its variables."""
    ours = [line for name in NAMES for line in steps(name) if "threadline" in line]
    theirs = [line for line in scripts() if "threadline" in line]

    plain = [line.replace("origin/${GITHUB_BASE_REF}", "X") for line in ours]
    assert plain == [line.replace("$CI_MERGE_REQUEST_DIFF_BASE_SHA", "X") for line in theirs]


@pytest.mark.parametrize("name", [*NAMES, "gitlab-ci.yml"])
def test_templates_keep_the_corpus_and_the_report(name: str) -> None:
    """What the next night needs is in the cache, and what people read is kept."""
    text = (TEMPLATES / name).read_text("utf-8")

    assert "reports/corpus" in text
    assert "reports/runs" in text
    assert "http" not in text
