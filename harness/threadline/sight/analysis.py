"""An analysis: which mutants are tried on which scenarios, and what came of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter

from ..loading import BadName
from .crew import Crew
from .mutants import Mutant
from .verdict import IGNORED, PENDING, UNREACHED, Plan, Reached, Result, Verdict


class NotClean(BadName):
    """A scenario fails though nothing was changed: then no failure tells of a mutant."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """What is known when all was tried. `made` is how many mutants there are in all."""

    plan: Plan
    made: int
    results: Sequence[Result]
    scenarios: Sequence[Reached]


def analyse(
    plan: Plan,
    sample: Sequence[Mutant],
    made: int,
    reasons: dict[int, str],
    workers: int,
    is_over: Callable[[], bool],
    tell: Callable[[str], object] = lambda _: None,
) -> Analysis:
    """Try a sample of the `made` mutants, on processes beside each other.

    `reasons` has why some are equivalent, which are not tried. `tell` gets what is done now. Raises
    NotClean, and SightFailed.
    """
    crew = Crew(plan, workers)
    try:
        tell("looking which scenario reaches which line")
        scenarios = crew.reached(plan.scenarios)
        for each in scenarios:
            if each.fails:
                raise not_clean(each.scenario, each.fails)
        ways = {each.number: _ways(each, scenarios) for each in sample}
        verdicts = {n: Verdict(n, UNREACHED) for n, way in ways.items() if not way}
        verdicts |= {n: Verdict(n, IGNORED) for n in reasons if n in ways}
        asked = [(n, [name for name, _ in way]) for n, way in ways.items() if n not in verdicts]
        for verdict in crew.verdicts(asked, is_over):
            if verdict.fails:
                raise not_clean(verdict.scenario, verdict.fails)
            verdicts[verdict.number] = verdict
            tell(f"{len(verdicts)} of {len(sample)} mutants")
    finally:
        crew.close()
    results = [
        Result(each, verdicts.get(n, Verdict(n, PENDING)), ways[n], reasons.get(n, ""))
        for each in sorted(sample, key=lambda each: each.number)
        for n in [each.number]
    ]
    return Analysis(plan, made, results, scenarios)


def _ways(mutant: Mutant, scenarios: Sequence[Reached]) -> list[tuple[str, int]]:
    """Return the scenarios that reach a mutant, with after how many steps: the soonest first."""
    after = [(each.scenario, each.after(mutant)) for each in scenarios]
    return sorted([(name, n) for name, n in after if n is not None], key=itemgetter(1))


def not_clean(scenario: str, signature: str) -> NotClean:
    """Return the error for a scenario that fails on the system as it is."""
    return NotClean(
        f"{scenario} fails on the system as it is, with {signature}; fix that first, or name other "
        "scenarios, as else nobody can say what a failure tells"
    )
