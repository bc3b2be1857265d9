"""A running process, watched from outside: what it holds of the operating system over time."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import psutil

SAMPLES_MIN = 4  # of which all must have grown; our choice


@dataclass(frozen=True, slots=True)
class Sample:
    """What a process had after so many seconds; memory in kilobytes, that of its own alone."""

    seconds: float
    uss_kb: int
    descriptors: int
    threads: int


def samples(pid: int, count: int, every_s: float) -> Iterator[Sample]:
    """Yield so many samples of a process; ends early with the process.

    Raises psutil.NoSuchProcess and psutil.AccessDenied for one that cannot be read at all.
    """
    process = psutil.Process(pid)
    began = time.monotonic()
    for number in range(count):
        if number:
            time.sleep(max(0.0, began + number * every_s - time.monotonic()))
        if not process.is_running():
            return
        with process.oneshot():
            uss_kb = process.memory_full_info().uss // 1024
            held = process.num_fds(), process.num_threads()
        yield Sample(round(time.monotonic() - began, 1), uss_kb, *held)


def verdicts(seen: Sequence[Sample]) -> list[str]:
    """Return what grows: descriptors and threads are judged, memory is shown.

    What grew from each quarter of the samples to the next is called growing. Memory alone is never
    called a leak: allocators keep what they are given back.
    """
    if len(seen) < SAMPLES_MIN:
        return [f"{len(seen)} looks are too few to tell anything; give --for more time"]
    lines = [
        _verdict("file descriptors", [sample.descriptors for sample in seen]),
        _verdict("threads", [sample.threads for sample in seen]),
    ]
    memory = [sample.uss_kb for sample in seen]
    return [*lines, f"memory: {memory[0]:,} to {memory[-1]:,} KB, which alone is no leak"]


def grows(values: Sequence[int]) -> bool:
    """Return whether the median of each quarter is above that of the one before."""
    size = len(values) // 4
    middles = [median(values[at * size : (at + 1) * size]) for at in range(4)]
    return all(one < other for one, other in pairwise(middles))


def _verdict(name: str, values: Sequence[int]) -> str:
    word = "GROWS" if grows(values) else "does not grow steadily"
    return f"{name}: {values[0]:,} to {values[-1]:,}, {word}"
