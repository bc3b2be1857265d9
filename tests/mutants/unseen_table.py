"""`python -m tests.mutants.unseen_table`: what the harness sees of the mutants nobody planned for.

Each has so many runs of each scenario that fits its part, and ends with its first kill. The first
60 are those of `unseen`, the next those of `unseen_second`.
`--share 0/2` plays each second one of them, from the first; `--only 3 7` those two.
"""

from __future__ import annotations

import argparse
import ast
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from threadline.cli.cli_names import scenario_names
from threadline.defaults import read_defaults
from threadline.loading import load_target
from threadline.sight.edits import Edit, functions_of
from threadline.sight.mutants import Mutant, Source, system_of
from threadline.sight.trial import bench_of
from threadline.sight.verdict import DETECTED, SURVIVED, Plan
from threadline.sight.worker import Worker

from tests.mutants.unseen import UNSEEN as FIRST
from tests.mutants.unseen import Unseen
from tests.mutants.unseen_second import UNSEEN_SECOND

UNSEEN = (*FIRST, *UNSEEN_SECOND)

SESSIONS, SERVICE = "drivers.sessions:SessionsDriver", "drivers.service:ServiceDriver"
POOL, TURNS = "drivers.database_pool:DatabasePoolDriver", "drivers.stored_turns:StoredTurnsDriver"
SESSIONS_BY_HAND = "drivers.database_sessions:DatabaseSessionsDriver"
STARTS = "drivers.database_start:DatabaseStartDriver"
BY_HAND, QUEUE = "drivers.parts:PartsDriver", "drivers.message_queue:MessageQueueDriver"
# The scenarios of a part, by driver, in the order in which they are played; "" are all.
FITTING: dict[str, dict[str, tuple[str, ...]]] = {
    "core": {SESSIONS: (), BY_HAND: (), SERVICE: ("queue", "crowd", "restart", "database")},
    "messages": {
        BY_HAND: (),
        SERVICE: ("longtalk", "crowd", "agents", "restart", "serviceoverlap"),
    },
    "queue": {QUEUE: (), SERVICE: ("queue", "crowd")},
    "agents": {SERVICE: ("crowd", "agents", "longtalk")},
    "service": {SERVICE: ("restart", "queue", "database", "servicefaults")},
    "storage": {
        **dict.fromkeys((POOL, SESSIONS_BY_HAND, STARTS, TURNS), ()),
        SERVICE: ("longtalk", "restart", "database", "servicecancelled"),
    },
    "quality, routes": {BY_HAND: (), SERVICE: ("crowd", "quality", "database")},
}
DRIVERS = (BY_HAND, QUEUE, POOL, SESSIONS_BY_HAND, STARTS, TURNS, SESSIONS, SERVICE)
ALIVE = ("survived", "unreached")
RUNS = 300  # of each scenario, if not given


def edit_of(one: Unseen, text: str) -> Edit:
    """Return the edit of a source; raises LookupError where `old` is not there exactly once."""
    [function] = [node for name, node in functions_of(ast.parse(text), "") if name == one.function]
    lines = text.splitlines(keepends=True)
    begin = sum(map(len, lines[: function.lineno - 1]))
    body = text[begin : sum(map(len, lines[: function.end_lineno]))]
    if body.count(one.old) != 1:
        raise LookupError(f"{one.old!r} stands {body.count(one.old)} times in {one.function}")
    start = begin + body.index(one.old)
    first, last = (text.count("\n", 0, at) + 1 for at in (start, start + len(one.old.rstrip())))
    return Edit("statement", one.function, start, start + len(one.old), one.new, first, last)


def mutants(sources: list[Source]) -> dict[int, Mutant]:
    """Return the mutants of these sources by their place in the list, which is their number."""
    by_module = {source.module: source for source in sources}
    found = {}
    for number, one in enumerate(UNSEEN, 1):
        if source := by_module.get(f"sessions.{one.module}"):
            found[number] = Mutant(number, source, edit_of(one, source.text))
    return found


class Player:
    """Tries mutants on one driver."""

    def __init__(self, driver: str, folder: Path, runs: int) -> None:
        self._runs, self._driver = runs, driver
        target = load_target(driver)
        names = scenario_names((), read_defaults(), target)
        self._names = {name.rpartition(":")[2].lower(): name for name in names}
        sources = system_of(target, ("sessions",))
        modules = [source.module for source in sources]
        self._bench = bench_of(Plan(driver, names, modules, whole_s=1_800, start_s=600, hang_s=60))
        self._mutants = mutants(sources)
        self._bench.mutants = [self._mutants.get(n + 1) for n in range(len(UNSEEN))]  # type: ignore[misc]
        nothing = (os.open(os.devnull, os.O_RDONLY), os.open(os.devnull, os.O_WRONLY))
        self._worker = Worker(self._bench, folder, nothing)

    def verdict(self, number: int) -> str:
        """Return what killed a mutant; "survived", or "" where the driver has not its function."""
        if number not in self._mutants:
            return ""
        chosen = FITTING[UNSEEN[number - 1].part][self._driver] or tuple(self._names)
        names = [self._names[each] for each in chosen]
        self._bench.plan = replace(self._bench.plan, runs=self._runs * len(names))
        found = self._worker.answer({"try": number, "on": names})
        if found["status"] not in DETECTED:
            return "survived" if found["status"] == SURVIVED else ""
        return f"{found['scenario']} {found['signature']} after {found['runs']} runs"


def main() -> None:
    """Print each mutant with what became of it, and a table by part."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--share", default="0/1")
    parser.add_argument("--only", type=int, nargs="+", default=range(1, len(UNSEEN) + 1))
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--driver", action="append")
    given = parser.parse_args()
    nth, of = map(int, given.share.split("/"))
    ends = dict.fromkeys(list(given.only)[nth::of], "unreached")
    for driver in given.driver or DRIVERS:
        fitting = [n for n in ends if driver in FITTING[UNSEEN[n - 1].part]]
        left = [number for number in fitting if ends[number] in ALIVE]
        with TemporaryDirectory() as folder:
            player = Player(driver, Path(folder), given.runs)
            for number in left:
                ends[number] = player.verdict(number) or ends[number]
                one = UNSEEN[number - 1]
                said = f"{number} {one.module}.{one.function}, {one.new!r}: {ends[number]}"
                print(driver, said, flush=True)
    made = Counter(UNSEEN[number - 1].part for number in ends)
    killed = Counter(UNSEEN[n - 1].part for n, end in ends.items() if end not in ALIVE)
    for part in made:
        print(f"{part}: {killed[part]} of {made[part]}")


if __name__ == "__main__":
    main()
