"""What processes of tests import is compiled once, and what tests make is not kept."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import cache_from_source
from pathlib import Path

# Prints the modules of the library that are compiled whenever they are imported.
UNCOMPILED = """
import sys
from pathlib import Path
import threadline.campaign.worker
ours = [module for name, module in sys.modules.items() if name.startswith("threadline.")]
print(len(ours) > 50, [each.__name__ for each in ours if not Path(each.__cached__).exists()])
"""


def printed(code: str) -> str:
    return subprocess.check_output([sys.executable, "-c", code], text=True)


def test_a_worker_imports_what_is_compiled() -> None:
    """A process that a test starts compiles nothing of the library."""
    assert printed(UNCOMPILED) == "True []\n"


def test_what_a_test_makes_is_not_kept(project: Path) -> None:
    """A module that a test writes may change within a second, and ends with its test."""
    (project / "made_here.py").write_text("", "utf-8")

    printed("import made_here")

    assert not Path(cache_from_source(str(project / "made_here.py"))).exists()
