"""Every stored trace still shows its bug in the driver that it names, and none in a clean one."""

from __future__ import annotations

from pathlib import Path

import pytest
from threadline.leaks.round_trip import RoundTrips
from threadline.loading import load_target
from threadline.lockstep.run import Runs, replay
from threadline.trace import Recorder, Trace, is_signature_of, read, read_header

CLEAN = {
    "conversation_store": "drivers.memory_store:MemoryStoreDriver",
    "session_manager": "drivers.sessions:SessionsDriver",
    "chat_service": "drivers.service:ServiceDriver",
}

every_trace = pytest.mark.parametrize(
    "path", sorted((Path(__file__).parent / "regressions").glob("*.jsonl")), ids=lambda p: p.stem
)


def trace_and_runs(path: Path, driver: str) -> tuple[Trace, Runs]:
    target = load_target(driver)
    return read(path, target.model.kinds()), Runs(target, Recorder(None), after_run=RoundTrips())


@every_trace
def test_the_bug_stays_away(path: Path) -> None:
    """The driver without bugs agrees with its model on the whole trace."""
    trace, runs = trace_and_runs(path, CLEAN[read_header(path).contract])

    assert replay(runs, trace.header, trace.operations) is None


@every_trace
def test_the_trace_still_shows_its_bug(path: Path) -> None:
    """The driver that the trace names fails as its header says, or the trace guards nothing."""
    trace, runs = trace_and_runs(path, read_header(path).driver)

    failure = replay(runs, trace.header, trace.operations)

    assert failure is not None
    assert is_signature_of(trace.header.signature, failure.signature)
