"""Alone: a failure of operations that overlapped, where one after another they fail as well."""

from __future__ import annotations

from dataclasses import replace

from ..lockstep.run import Batch, Runs, replay
from .passes import calm


def alone(runs: Runs, batch: Batch) -> Batch:
    """Return a batch that failed as it fails where nothing overlaps, if it does: that is simpler.

    It may have another signature then, as more is compared.
    """
    if batch.failure is None or not batch.header.overlap:
        return batch
    header = replace(batch.header, overlap=False, adversarial=False)
    failure = replay(runs, header, calm(batch.failure.operations))
    return batch if failure is None else replace(batch, header=header, failure=failure)
