"""`python -m tests.mutants.made_table`: which made mutants of all of sessions/ some driver kills.

A random sample goes through the drivers one after the other, the cheapest first; what lives is
passed on to the next. Each has so many runs of each driver. `--only 7 12` takes mutants by number.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from threadline.cli.cli_names import scenario_names
from threadline.defaults import read_defaults
from threadline.loading import load_target
from threadline.sight.analysis import clean
from threadline.sight.crew import Crew
from threadline.sight.equivalent import FILE, read_equivalents, reasons_for
from threadline.sight.mutants import Mutant, mutants_of, sampled, sources_of
from threadline.sight.verdict import DETECTED, IGNORED, KILLED, SURVIVED, UNREACHED, Plan, Verdict

DRIVERS = (
    "drivers.message_queue:MessageQueueDriver",
    "drivers.parts:PartsDriver",
    "drivers.database_pool:DatabasePoolDriver",
    "drivers.database_sessions:DatabaseSessionsDriver",
    "drivers.database_start:DatabaseStartDriver",
    "drivers.stored_turns:StoredTurnsDriver",
    "drivers.sessions:SessionsDriver",
    "drivers.service:ServiceDriver",
)
# HTTP over real sockets, which has tests of its own; what begins a process;
# and migrations, which are history, and which alembic reads as files, so that none can be put in.
APART = ("__main__.py", "app.py", "web/", "storage/migrations/")
PARTS = {
    "messages": ("messages/",),
    "queue": ("queue.py",),
    "agents": ("agents/",),
    "service": ("service.py", "wiring.py"),
    "storage": ("storage/",),
    "quality, routes": ("quality.py", "routes.py"),
}
COLUMNS = (KILLED, SURVIVED, UNREACHED, IGNORED)


@dataclass(slots=True)
class End:
    """What has become of a mutant by now, and by driver how many runs it survived."""

    mutant: Mutant
    verdict: Verdict
    survived: dict[str, int] = field(default_factory=dict)

    @property
    def lives(self) -> bool:
        return self.verdict.status in (SURVIVED, UNREACHED)

    def said(self) -> str:
        """Return what was changed, and what was seen of it."""
        mutant, verdict = self.mutant, self.verdict
        by = f"{verdict.scenario} {verdict.signature}, run {verdict.runs}" * (not self.lives)
        first = f"{verdict.status} {mutant.number} {mutant.place} {mutant.edit.function}"
        seen = by or str(self.survived or "")
        return f"{first}, {mutant.edit.kind}: {seen}\n  - {mutant.old}\n  + {mutant.new}"


def modules() -> list[str]:
    """Return the modules of sessions/ that are looked at, so that each driver numbers alike."""
    here = Path("sessions")
    found = sorted(path.relative_to(here).as_posix() for path in here.rglob("*.py"))
    kept = [each.removesuffix("/__init__.py") for each in found if not each.startswith(APART)]
    dotted = [each.removesuffix(".py").replace("/", ".") for each in kept]
    return [f"sessions.{each}".removesuffix(".__init__") for each in dotted]


def part_of(mutant: Mutant) -> str:
    """Return the part of sessions/ in which a mutant is."""
    shown = mutant.source.shown.removeprefix("sessions/")
    return next((part for part, places in PARTS.items() if shown.startswith(places)), "core")


def passed(driver: str, left: Sequence[End], plan: Plan) -> Iterator[End]:
    """Play mutants on a driver; yield each that it reaches, when it is known what became of it."""
    names = scenario_names((), read_defaults(), load_target(driver))
    crew = Crew(replace(plan, driver=driver, scenarios=names), workers=1)
    ends = {each.mutant.number: each for each in left}
    try:
        scenarios = clean(crew.reached(names))
        ways = {
            number: sorted(
                (steps, each.scenario)
                for each in scenarios
                if (steps := each.after(end.mutant)) is not None
            )
            for number, end in ends.items()
        }
        asked = [(number, [name for _, name in way]) for number, way in ways.items() if way]
        for verdict in crew.verdicts(asked, lambda: False):
            end = ends[verdict.number]
            if verdict.status == SURVIVED:
                end.survived[driver.rpartition(":")[2]] = verdict.runs
            if verdict.status != UNREACHED:
                end.verdict = verdict
            yield end
    finally:
        crew.close()


def table(ends: Sequence[End]) -> Iterator[str]:
    """Yield a line of numbers for each part, and one for all."""
    yield f"{'part':<16}{'made':>8}" + "".join(f"{each:>12}" for each in COLUMNS) + "   score"
    for part in [*PARTS, "core", ""]:
        own = [each for each in ends if part in ("", part_of(each.mutant))]
        sums = Counter(
            KILLED if end.verdict.status in DETECTED else end.verdict.status for end in own
        )
        counted = len(own) - sums[IGNORED]
        shown = f"{100 * sums[KILLED] / counted:.0f} %" if counted else ""
        numbers = "".join(f"{sums[each]:>12}" for each in COLUMNS)
        yield f"{part or 'all':<16}{len(own):>8}{numbers}{shown:>8}"


def main() -> None:
    """Print each mutant with what became of it, and a table by part."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sample", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--only", type=int, nargs="+")
    parser.add_argument("--driver", action="append")
    given = parser.parse_args()
    plan = Plan("", (), modules(), seed=given.seed, runs=given.runs, whole_s=given.seconds)
    sources = sources_of(plan.modules)
    mutants = mutants_of(sources)
    reasons = reasons_for(read_equivalents(Path(FILE)), mutants, sources)
    chosen = [mutants[number - 1] for number in given.only or ()]
    ends = [
        End(each, Verdict(each.number, IGNORED if each.number in reasons else UNREACHED))
        for each in chosen or sampled(mutants, given.sample, given.seed)
    ]
    for driver in given.driver or DRIVERS:
        for end in passed(driver, [each for each in ends if each.lives], plan):
            print(end.said(), flush=True)
    print("\n".join(each.said() for each in ends if each.lives))
    print(f"{len(ends)} of {len(mutants)} mutants, seed {given.seed}", *table(ends), sep="\n")


if __name__ == "__main__":
    main()
