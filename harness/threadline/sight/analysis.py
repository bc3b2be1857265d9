"""An analysis: which mutants are tried on which scenarios, and what came of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from ..loading import BadName
from .crew import Crew
from .mutants import Mutant
from .results import Results
from .verdict import IGNORED, PENDING, UNREACHED, Plan, Reached, Result, Verdict


class NotClean(BadName):
    """A scenario fails though nothing was changed: then no failure tells of a mutant."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """What is known when all was tried.

    `made` is how many mutants there are in all, `known` of how many it was known before.
    """

    plan: Plan
    made: int
    results: Sequence[Result]
    scenarios: Sequence[Reached]
    known: int = 0


def analyse(
    plan: Plan,
    sample: Sequence[Mutant],
    made: int,
    reasons: dict[int, str],
    workers: int,
    is_over: Callable[[], bool],
    tell: Callable[[str], object] = lambda _: None,
    before: Results | None = None,
) -> Analysis:
    """Try a sample of the `made` mutants, on processes beside each other.

    `reasons` has why some are equivalent, which are not tried; nor are those of which it is known
    what came of them `before`. `tell` gets what is done now. Raises NotClean, and SightFailed.
    """
    crew = Crew(plan, workers)
    try:
        tell("looking which scenario reaches which line")
        scenarios = clean(crew.reached(plan.scenarios))
        ways = {each.number: _ways(each, scenarios) for each in sample}
        verdicts = {n: Verdict(n, UNREACHED) for n, way in ways.items() if not way}
        verdicts |= {n: Verdict(n, IGNORED) for n in reasons if n in ways}
        asked = [(n, [name for name, _ in way]) for n, way in ways.items() if n not in verdicts]
        known = before.known(asked) if before else {}
        verdicts |= known
        try:
            left = [each for each in asked if each[0] not in known]
            for verdict in crew.verdicts(left, is_over):
                if verdict.fails:
                    raise _not_clean(verdict.scenario, verdict.fails)
                verdicts[verdict.number] = verdict
                tell(f"{len(verdicts)} of {len(sample)} mutants")
        finally:
            if before:
                before.add(asked, verdicts)
    finally:
        crew.close()
    results = _results(sample, verdicts, ways, reasons)
    return Analysis(plan, made, results, scenarios, len(known))


def _results(
    sample: Sequence[Mutant],
    verdicts: Mapping[int, Verdict],
    ways: Mapping[int, Sequence[tuple[str, int]]],
    reasons: Mapping[int, str],
) -> list[Result]:
    return [
        Result(each, verdicts.get(n, Verdict(n, PENDING)), ways[n], reasons.get(n, ""))
        for each in sorted(sample, key=lambda each: each.number)
        for n in [each.number]
    ]


def _ways(mutant: Mutant, scenarios: Sequence[Reached]) -> list[tuple[str, int]]:
    """Return the scenarios that reach a mutant, with after how many steps: the soonest first."""
    after = [(each.scenario, each.after(mutant)) for each in scenarios]
    return sorted([(name, n) for name, n in after if n is not None], key=itemgetter(1))


def clean(scenarios: Sequence[Reached]) -> Sequence[Reached]:
    """Return what scenarios reach; raises NotClean where one fails on the system as it is."""
    for each in scenarios:
        if each.fails:
            raise _not_clean(each.scenario, each.fails)
    return scenarios


def _not_clean(scenario: str, signature: str) -> NotClean:
    """Return the error for a scenario that fails on the system as it is."""
    return NotClean(
        f"{scenario} fails on the system as it is, with {signature}; fix that first, or name other "
        "scenarios, as else nobody can say what a failure tells"
    )
