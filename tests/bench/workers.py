"""How many steps two workers of a night play, beside one.

Each pair plays two nights of the same seed and length, one after the other, the order swapped each
time; their records say what was played. `python -m tests.bench.workers [SECONDS] [PAIRS]`
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from threadline.report.record import read_record

from tests.project import ROOT

DRIVERS = ("drivers.memory_store:MemoryStoreDriver", "drivers.sessions:SessionsDriver")


def steps(workers: int, seconds: float, seed: int) -> int:
    """Play a night of so many workers, and return the steps that it has played."""
    named = [word for driver in DRIVERS for word in ("--driver", driver)]
    night = ["nightly", "--for", f"{seconds:.0f}s", "--workers", str(workers), *named]
    with TemporaryDirectory(prefix="threadline-") as folder:
        for name in ("pyproject.toml", "models", "scenarios", "sessions", "drivers", "tests"):
            (Path(folder) / name).symlink_to(ROOT / name)
        command = [sys.executable, "-m", "threadline", *night, "--seed", str(seed)]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        (made,) = (Path(folder) / "reports/runs").iterdir()
        return sum(scenario.steps for scenario in read_record(made).scenarios)


def main() -> None:
    """Print what each pair has played, and the median of the ratios."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    pairs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    ratios = []
    for pair in range(pairs):
        order = (1, 2) if pair % 2 else (2, 1)
        played = {workers: steps(workers, seconds, pair) for workers in order}
        ratios.append(played[2] / played[1])
        print(f"{played[1]:,} steps, {played[2]:,} of two: {ratios[-1]:.2f}", flush=True)
    print(f"median {median(ratios):.2f}")


if __name__ == "__main__":
    main()
