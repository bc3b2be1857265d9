"""Lets every rule for leaks judge the same runs, leaking and clean, and prints how each did."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from threadline.leaks.growth import BRIEF_MAX, CYCLES_MAX, Growths
from threadline.leaks.investigate import cycles_of
from threadline.leaks.round_trip import tear_down
from threadline.loading import Target, load_target
from threadline.scenario import Scenario

from scenarios.connections import Connections
from tests.bench.leak_peers import PEERS
from tests.bench.leak_runs import is_flagged, played
from tests.mutants.benign import GROWERS
from tests.planted_leaks import BY_NAME, CLEAN, PLANTED, STEPS_MAX

OURS = "rooted path census and doubling"
RUNS_MAX = 40  # of a seed, of which one shows a leak


@dataclass(slots=True)
class Score:
    """How often a rule was right, and how long it took on clean runs, in milliseconds."""

    clean: int = 0
    flagged: int = 0
    leaking: int = 0
    missed: int = 0
    clean_ms: list[float] = field(default_factory=list)

    def note(self, *, flags: bool, leaks: bool) -> None:
        if leaks:
            self.leaking += 1
            self.missed += not flags
        else:
            self.clean += 1
            self.flagged += flags


def print_scores(seeds: int) -> None:
    """Judge a clean run of each benign grower and of none, and a leaking run of each leak."""
    scores = {name: Score() for name in (OURS, *PEERS)}
    benign = [replace(load_target(CLEAN), make=grower) for grower in GROWERS]
    known = [Growths() for _ in range(len(benign) + 1)]
    for seed in range(seeds):
        for target, learnt in zip([*benign, load_target(CLEAN)], known, strict=True):
            judge(target, Connections, seed, 1, scores, learnt, leaks=False)
        for name in PLANTED:
            target = load_target(f"tests.mutants.leaks:{name}")
            run = leaking_run(target, BY_NAME[name].scenario, seed)
            judge(target, BY_NAME[name].scenario, seed, run, scores, Growths(), leaks=True)
    print(f"\n{'rule':<36}{'clean flagged':>16}{'leaks missed':>15}{'ms a clean run':>16}")
    for name, score in scores.items():
        flagged, missed = f"{score.flagged}/{score.clean}", f"{score.missed}/{score.leaking}"
        print(f"{name:<36}{flagged:>16}{missed:>15}{median(score.clean_ms):>16.1f}", flush=True)


def leaking_run(target: Target, scenario: type[Scenario[Any]], seed: int) -> int:
    """Return the number of the first run of a seed in which objects stay, by the model's word.

    A round trip says so, as no rule can judge a run that does not do what leaks.
    """
    for run in range(1, RUNS_MAX):
        with played(target, scenario, seed, run, STEPS_MAX) as lockstep:
            if is_flagged(lockstep, Growths(), BRIEF_MAX):
                return run
    return RUNS_MAX


def judge(
    target: Target,
    scenario: type[Scenario[Any]],
    seed: int,
    run: int,
    scores: Mapping[str, Score],
    known: Growths,
    *,
    leaks: bool,
) -> None:
    """Judge one run by every rule."""
    for name, score in scores.items():
        with played(target, scenario, seed, run, STEPS_MAX) as lockstep:
            if name != OURS:
                tear_down(lockstep)
            began = time.perf_counter()
            if name == OURS:
                # What leaks is watched briefly, as nothing here stops so soon.
                flags = is_flagged(lockstep, known, BRIEF_MAX if leaks else CYCLES_MAX)
            else:
                flags = PEERS[name](cycles_of(lockstep, Growths()))
            if not leaks:
                score.clean_ms.append((time.perf_counter() - began) * 1e3)
        score.note(flags=flags, leaks=leaks)
