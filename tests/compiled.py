"""What is compiled once, so that no process that a test starts compiles 300 files on its own.

It is kept apart where PYTHONDONTWRITEBYTECODE says that none may be left beside its source.
"""

from __future__ import annotations

import compileall
import os
import sys

from tests.project import ROOT

COMPILED = str(ROOT / ".pytest_cache" / "compiled")
FOLDERS = ("drivers", "harness", "models", "scenarios", "sessions", "tests")


def begin() -> None:
    """Compile what is ours or loaded, and keep what is imported from now on, in any process."""
    if sys.dont_write_bytecode:
        sys.dont_write_bytecode = False
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = COMPILED
    ours = [str(path) for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    loaded = [str(getattr(module, "__file__", "")) for module in [*sys.modules.values()]]
    for source in [*ours, *loaded]:
        if source.endswith(".py"):
            compileall.compile_file(source, quiet=2)


def end() -> None:
    """Keep no more: a module that a test makes is for that test alone, and may change in it."""
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
