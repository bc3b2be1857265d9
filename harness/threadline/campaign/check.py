"""A check of a driver: each operation of its contract, and whether it is kept."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from ..failure import Failure
from ..loading import Target
from ..lockstep.run import Runs
from ..lockstep.warning_recorder import warnings_recorded
from ..minimise.fixpoint import minimise
from ..operation import Operation
from ..scenario import Scenario
from ..search.explore import Explorer
from ..trace import Header, Recorder

RUNS = 300
STEPS = 30


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of one operation; `keeps` is None where it was not tried."""

    kind: str
    keeps: bool | None
    text: str
    failure: Failure | None = None


def verdicts(target: Target, scenarios: Sequence[type[Scenario[Any]]], seed: int) -> list[Verdict]:
    """Try a driver on every scenario of its model, and judge each operation.

    Operations whose method takes other arguments are judged by looking, and left out of the runs.
    """
    unusable = _unusable(target)
    kinds = target.model.kinds()
    lacks = (*target.lacks, *(kinds[kind] for kind in unusable))
    found: dict[str, Verdict] = {
        kind: Verdict(kind, keeps=False, text=text) for kind, text in unusable.items()
    }
    for operation in target.lacks:
        found[operation.kind] = Verdict(operation.kind, keeps=None, text="lacking: no such method")
    tried: dict[str, int] = {}
    for scenario in scenarios:
        _try(replace(target, lacks=lacks), scenario, seed, found, tried)
    for kind in kinds:
        steps = tried.get(kind, 0)
        why = "never reached: what leads to it fails" if kind in tried else "not tried: has no rule"
        kept = Verdict(kind, keeps=True, text=f"kept in {steps:,} steps")
        found.setdefault(kind, kept if steps else Verdict(kind, keeps=None, text=why))
    return [found[kind] for kind in kinds]


def _try(
    target: Target,
    scenario: type[Scenario[Any]],
    seed: int,
    found: dict[str, Verdict],
    tried: dict[str, int],
) -> None:
    """Explore one scenario, noting the first failure of each operation and what was tried."""
    header = Header(target.model.name, target.name, seed=seed, steps_max=STEPS)
    with warnings_recorded() as warned:
        runs = Runs(target, Recorder(None), warned)
        explorer = Explorer(scenario, runs, header)
        for batch in islice(explorer.batches(), RUNS):
            if batch.failure and batch.failure.signature.kind not in found:
                least = minimise(batch.trace(), batch.failure.signature, runs, scenario)
                failure = least.failure or batch.failure
                kind = failure.signature.kind
                text = f"breaks {failure.signature.property}, as below"
                found[kind] = Verdict(kind, keeps=False, text=text, failure=failure)
        runs.close()
    for kind, steps in explorer.drawn().items():
        tried[kind] = tried.get(kind, 0) + steps


def _unusable(target: Target) -> dict[str, str]:
    """Return what is wrong with each method that cannot be called as its operation is."""
    wrong = {}
    for operation in target.model.kinds().values():
        if operation not in target.lacks:
            complaint = _arguments_complaint(getattr(target.driver, operation.kind), operation)
            if complaint:
                wrong[operation.kind] = complaint
    return wrong


def _arguments_complaint(method: Any, operation: type[Operation]) -> str:
    try:
        inspect.signature(method).bind("self", *operation.names)
    except TypeError as error:
        takes = ", ".join(("self", *operation.names))
        return f"{error}; write def {operation.kind}({takes})"
    except ValueError:  # a method in C that does not tell its arguments
        return ""
    return ""
