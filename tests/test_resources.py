"""Exact resources, and where something was made: what is counted, waited for and named."""

from __future__ import annotations

import subprocess
import sys
from collections import deque
from types import ModuleType

from threadline.leaks.allocation import allocated_at, allocations_traced, way_to
from threadline.leaks.cycles import CHILDREN, THREADS, WARNINGS, resources, settled

COUNTS = """
import threading
from tempfile import TemporaryFile

from threadline.leaks.cycles import DESCRIPTORS, THREADS, resources

over = threading.Event()
before = resources((), warned=0)
thread = threading.Thread(target=over.wait)
thread.start()
with TemporaryFile():
    during = resources((), warned=0)
over.set()
thread.join()
print(during[THREADS] - before[THREADS], during[DESCRIPTORS] - before[DESCRIPTORS])
"""


class Made:
    """An object whose making is traced."""

    def __init__(self) -> None:
        self.parts: deque[int] = deque()


def test_counts_threads_and_descriptors() -> None:
    """One thread and one open file more are one more of each.

    In a process of its own: here a thread of another test may end meanwhile.
    """
    counted = subprocess.run(
        [sys.executable, "-c", COUNTS], check=True, capture_output=True, text=True
    )
    assert counted.stdout.split() == ["1", "1"]


def test_counts_child_processes() -> None:
    """A process that was started and not waited for is one more."""
    before = resources((), warned=0)
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    during = resources((), warned=0)
    child.communicate()

    assert during[CHILDREN] - before[CHILDREN] == 1


def test_looks_again_while_a_thread_is_ending() -> None:
    """What is more than before is looked at again, until it is not."""
    seen = iter([{THREADS: 3}, {THREADS: 3}, {THREADS: 2}, {THREADS: 9}])

    assert settled({THREADS: 2}, lambda: next(seen)) == {THREADS: 2}


def test_gives_up_on_what_does_not_end() -> None:
    """A thread that stays is told after a bounded number of looks."""
    assert settled({THREADS: 2}, lambda: {THREADS: 3}) == {THREADS: 3}


def test_the_first_look_waits_for_nothing() -> None:
    """Where there is no count from before, the first one is it."""
    seen = iter([{WARNINGS: 3}])

    assert settled({}, lambda: next(seen)) == {WARNINGS: 3}


def test_names_the_line_that_made_an_object() -> None:
    """Of an object, or of what its own __init__ made."""
    with allocations_traced():
        made = [Made(), "".join(["a", "text", "of", "its", "own"])]
        sites = [allocated_at(each) for each in made]

    assert sites[0].startswith("tests/test_resources.py:")
    assert sites[1].startswith("tests/test_resources.py:")


def test_finds_the_module_that_holds_an_object() -> None:
    """What no root leads to is held by some module, through whatever containers."""
    cache = ModuleType("some_cache")
    held = Made()
    cache.KEPT = {"a": [held]}  # type: ignore[attr-defined]  # as the module would
    sys.modules["some_cache"] = cache
    try:
        way = way_to(held, [])
    finally:
        del sys.modules["some_cache"]

    assert str(way) == "some_cache: module / .KEPT -> dict / .a -> list / [*] -> Made"
