"""A check of a driver: each operation of its contract, and whether it is kept."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from ..failure import Failure
from ..loading import Target
from ..lockstep.recorders import warnings_recorded
from ..lockstep.run import Batch, Runs
from ..operation import Operation
from ..scenario import Scenario
from ..search.explore import Explorer
from ..trace import Header, Recorder
from .chance import fails_each_time, least_of

RUNS = 300
STEPS = 30


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of one operation; `keeps` is None where it was not tried.

    `doubt` and `notes` are of a failure that does not come back each time: see Least.
    """

    kind: str
    keeps: bool | None
    text: str
    failure: Failure | None = None
    doubt: str = ""
    notes: tuple[str, ...] = ()


def verdicts(target: Target, scenarios: Sequence[type[Scenario[Any]]], seed: int) -> list[Verdict]:
    """Try a driver on every scenario of its model, and judge each operation.

    Calls that a run makes beside its steps, as its close, are judged last. An operation whose
    method takes other arguments is judged by its signature, and left out of the runs.
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
    beside = [verdict for kind, verdict in found.items() if kind not in kinds]
    return [*(found[kind] for kind in kinds), *beside]


def _try(
    target: Target,
    scenario: type[Scenario[Any]],
    seed: int,
    found: dict[str, Verdict],
    tried: dict[str, int],
) -> None:
    """Explore one scenario, and note what was tried and one failure of each operation.

    That is the first failure, or the first that fails each time.
    """
    header = Header(target.model.name, target.name, seed=seed, steps_max=STEPS)
    with warnings_recorded() as warned:
        runs = Runs(target, Recorder(None), warned)
        explorer = Explorer(scenario, runs, header)
        for batch in islice(explorer.batches(), RUNS):
            if batch.failure and _is_news(batch, batch.failure, runs, found):
                verdict = _verdict(batch, batch.failure, runs, scenario)
                found[verdict.kind] = verdict
        runs.close()
    for kind, steps in explorer.drawn().items():
        tried[kind] = tried.get(kind, 0) + steps


def _is_news(batch: Batch, failure: Failure, runs: Runs, found: Mapping[str, Verdict]) -> bool:
    known = found.get(failure.signature.kind)
    if known is None:
        return True
    return bool(known.doubt) and fails_each_time(batch.trace(), failure, runs)


def _verdict(batch: Batch, failure: Failure, runs: Runs, scenario: type[Scenario[Any]]) -> Verdict:
    least = least_of(batch.trace(), failure, runs, scenario)
    signature = failure.signature
    how = f"{least.doubt}, " if least.doubt else ""
    text = f"breaks {signature.property}, {how}as below"
    return Verdict(
        signature.kind,
        keeps=False,
        text=text,
        failure=least.failure,
        doubt=least.doubt,
        notes=least.notes,
    )


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
