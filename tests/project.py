"""A folder with this project's settings in it, for tests that run the command."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from select import select

import pytest
from click.testing import CliRunner, Result
from threadline.cli.command import threadline

ROOT = Path(__file__).resolve().parent.parent
GUARD_S = 600.0  # after which a process that was started hangs, on however busy a machine


@contextmanager
def entered(folder: Path) -> Iterator[Path]:
    """Go to a folder from which this project's modules and settings are found.

    What is imported from there is forgotten afterwards: the next test has a `mine.py` of its own.
    """
    shutil.copy(ROOT / "pyproject.toml", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [*sys.path])
        patch.chdir(folder)
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("COLUMNS", "120")
        # It is a library to this project; its plugin takes two seconds to load.
        patch.setenv("PYTEST_ADDOPTS", "-p no:schemathesis")
        patch.delenv("UV_RUN_RECURSION_DEPTH", raising=False)
        yield folder
    forget(folder)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """Go to an empty folder from which this project's modules and settings are found."""
    with entered(tmp_path):
        yield tmp_path


def forget(folder: Path) -> None:
    """Forget the modules that were imported from a folder."""
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(str(folder)):
            del sys.modules[name]


def run(*words: str) -> Result:
    """Run the command in this process; its workers are processes of their own."""
    return CliRunner().invoke(threadline, words, prog_name="threadline")


def ran(program: str, *words: str, **settings: str) -> subprocess.CompletedProcess[bytes]:
    """Run threadline or pytest in a process of its own, with these settings of the environment."""
    command, environment = [sys.executable, "-m", program, *words], {**os.environ, **settings}
    return subprocess.run(
        command, capture_output=True, check=False, env=environment, timeout=GUARD_S
    )


def night_until_told(*words: str, prepare: Callable[[], object] | None = None) -> tuple[int, str]:
    """Play a night until it tells a failure, end it by SIGTERM; return its status and its text.

    So it is as long as it must be on this machine, and no longer.
    """
    command = [sys.executable, "-m", "threadline", "nightly", "--for", f"{GUARD_S:.0f}s", *words]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=prepare,
    ) as night:
        assert night.stdout is not None
        lines: list[str] = []
        for line in night.stdout:
            if " fails: " in line and not any(" fails: " in each for each in lines):
                night.send_signal(signal.SIGTERM)
            lines.append(line)
        return night.wait(GUARD_S), "".join(lines)


def heard(pipe: Path) -> str:
    """Return what a process writes to a pipe, once it is there."""
    with open(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0) as reader:
        ready, _, _ = select([reader], [], [], GUARD_S)
        assert ready, f"nobody has written to {pipe}"
        return reader.read().decode("utf-8")


def flat(text: str) -> str:
    """Return a text in one line, wherever it was folded."""
    return " ".join(text.split())


def stable(text: str) -> str:
    """Return a text with the folder of its campaign and its speed left out."""
    text = re.sub(r"\d{8}T\d{6}Z-(\d+)(-\d+)?", r"UTC-\1", text)  # -\d+: two in a second
    return re.sub(r"(\d+) +([\d,]+)  none", r"\1  STEPS/S  none", text)
