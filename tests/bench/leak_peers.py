"""How others tell a leak: each looks at cycles of one run, and says whether something leaks."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import memray
import objgraph  # type: ignore[import-untyped]  # has no types
import psutil
from threadline.leaks.cycles import Cycles

Rule = Callable[[Cycles], bool]
CPYTHON_WARM_UP, CPYTHON_WATCHED = 5, 4  # those of `python -m test -R 5:4`
MEMRAY_CYCLES, MEMRAY_BYTES = 20, 1_024  # at one place; our choice for a few entries a cycle
USS_CYCLES = 40
MANN_KENDALL = 1.645  # one-sided, at the level of 5 %


def objgraph_growth(cycles: Cycles) -> bool:
    """Return whether any type has more objects after one cycle: objgraph.growth()."""
    cycles.run(2, following=False)
    peaks: dict[str, int] = {}
    objgraph.growth(limit=1, peak_stats=peaks)
    cycles.run(1, following=False)
    return bool(objgraph.growth(limit=1, peak_stats=peaks))


def cpython_rule(cycles: Cycles) -> bool:
    """Return whether each cycle leaves more allocated blocks: CPython's own hunt for leaks."""
    cycles.run(CPYTHON_WARM_UP, following=False)
    blocks = [_blocks()]
    for _ in range(CPYTHON_WATCHED):
        cycles.run(1, following=False)
        blocks.append(_blocks())
    return all(one < other for one, other in pairwise(blocks))


def memray_records(cycles: Cycles) -> bool:
    """Return whether one place keeps more than a limit, as pytest-memray's limit_leaks does."""
    cycles.run(2, following=False)
    with TemporaryDirectory() as folder:
        path = Path(folder, "leaks.bin")
        with memray.Tracker(path):
            cycles.run(MEMRAY_CYCLES, following=False)
            gc.collect()
        with memray.FileReader(os.fspath(path)) as reader:
            kept = list(reader.get_leaked_allocation_records(merge_threads=True))
    return any(record.size > MEMRAY_BYTES for record in kept)


def uss_trend(cycles: Cycles) -> bool:
    """Return whether the memory of the process tends upwards (Mann 1945, Kendall 1975)."""
    process = psutil.Process()
    cycles.run(2, following=False)
    seen = []
    for _ in range(USS_CYCLES):
        cycles.run(1, following=False)
        seen.append(process.memory_full_info().uss)
    pairs = [(one < other) - (one > other) for at, one in enumerate(seen) for other in seen[at:]]
    deviation: float = (USS_CYCLES * (USS_CYCLES - 1) * (2 * USS_CYCLES + 5) / 18) ** 0.5
    return (sum(pairs) - 1) / deviation > MANN_KENDALL


def _blocks() -> int:
    gc.collect()
    return sys.getallocatedblocks()


PEERS: dict[str, Rule] = {
    "objgraph growth, one diff": objgraph_growth,
    "allocated blocks, CPython -R 5:4": cpython_rule,
    "memray, kept at one place": memray_records,
    "USS trend, Mann-Kendall": uss_trend,
}
