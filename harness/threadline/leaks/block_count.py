"""The memory blocks that a process holds, counted for what lies outside every root."""

from __future__ import annotations

import gc
import sys
import threading
from dataclasses import dataclass

import psutil

from .cycles import Cycles
from .growth import CYCLES_MAX, Suspect, suspect
from .reach import Link, Path

BLOCKS = Path((Link("allocated blocks", ""),))
WARM_UP = 32  # cycles
FIRST = 50  # cycles of the first block
LOOKS_MAX = 3  # blocks in which what does not grow each time is let go
LEAST = 350  # cycles of the three first; 200 is the least that tells


@dataclass(frozen=True, slots=True)
class BlockCount:
    """What counting blocks showed, in the first run in which nothing else grew.

    skipped: why they could not be counted, "" if they were.
    uss_kb: by how much the memory that is this process's alone grew. It is shown, and judged by
    nobody: allocators keep what they were given back.
    """

    cycles: int = 0
    rate: float = 0.0
    uss_kb: int = 0
    leaks: bool = False
    skipped: str = ""

    def __str__(self) -> str:
        if self.skipped:
            return f"skipped: {self.skipped}"
        over = f"over {self.cycles:,} cycles of a run without suspects (USS {self.uss_kb:+,} KB)"
        if self.leaks:
            return f"{self.rate:+.2f} memory blocks per cycle, linear {over}"
        return f"no growth of memory blocks {over}"


def count_blocks(cycles: Cycles, cycles_max: int = CYCLES_MAX) -> BlockCount:
    """Play at least 350 cycles, and return whether the number of allocated blocks keeps growing.

    That is so however few cycles one watches at most, as blocks come and go with whatever a process
    does. Growth below one block in two cycles does not count. Call it within heap_aside().
    """
    if threading.active_count() > 1:
        return BlockCount(skipped="other threads live, and allocate what they like")
    cycles.run(WARM_UP, following=False)
    uss = psutil.Process().memory_full_info().uss
    first = cycles.played, _blocks()
    cycles.run(FIRST, following=False)
    seen = suspect(first, (cycles.played, _blocks()), max(cycles_max, first[0] + LEAST))
    size = FIRST
    for look in range(1, 12):
        if _is_over(seen, look):
            break
        size *= 2
        cycles.run(size, following=False)
        seen.see(cycles.played, _blocks())
    grown = seen.grown / (cycles.played - first[0])
    more_kb = (psutil.Process().memory_full_info().uss - uss) // 1024
    return BlockCount(cycles.played, grown, more_kb, seen.leaks and grown >= 1)


def _is_over(seen: Suspect, look: int) -> bool:
    return seen.leaks or (look >= LOOKS_MAX and (seen.bounded or seen.rate < 0.5))


def _blocks() -> int:
    gc.collect()
    return sys.getallocatedblocks()
