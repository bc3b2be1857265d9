"""Records of campaigns for the tests of what people read: real failures, and hostile texts."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from threadline.failure import failure_text, replay_command
from threadline.leaks.leak import Leak, leak_failure
from threadline.leaks.reach import Link, Path
from threadline.loading import load_target
from threadline.lockstep.run import Runs, replay
from threadline.play import played
from threadline.report.record import (
    CorpusRecord,
    FailureRecord,
    KnownRecord,
    Night,
    Record,
    Sample,
    ScenarioRecord,
)
from threadline.timing import DURING, Timing
from threadline.trace import Header, Recorder, read, read_header

from tests.project import ROOT
from tests.toys.racing import Desks

SCENARIO, DRIVER = "scenarios.keys:Keys", "drivers.sessions:SessionsDriver"
STORED = ("ids-collide", "grace-never-ends", "loses-undelivered", "deletes-by-prefix")
HOSTILE = "</script><img src=x onerror=alert(1)>\u202e\x1b[31m\x00\ud800&amp;]]>|`*"
TRACES = "tests/regressions"


@cache
def failure_of(name: str) -> FailureRecord:
    """Return the failure of a stored trace of the project, as a campaign would record it."""
    trace_file = f"{TRACES}/{name}.jsonl"
    path = ROOT / trace_file
    target = load_target(read_header(path).driver)
    trace = read(path, target.model.kinds())
    failure = replay(Runs(target, Recorder(None)), trace.header, trace.operations)
    assert failure is not None
    return FailureRecord(
        signature=str(failure.signature),
        scenario=SCENARIO,
        driver=DRIVER,
        status="new",
        trace=trace_file,
        lines=path.read_text("utf-8"),
        text=failure_text(failure, trace_file),
        replay=replay_command(trace_file),
        play=played(failure),
        runs=3,
        steps=len(failure.steps),
        replays=120,
        found_s=1.5,
    )


@cache
def leak() -> FailureRecord:
    """Return a failure that is a leak."""
    one = failure_of("ids-collide")
    chain = Path([Link("system", "Hub"), Link(".factory", "Factory"), Link("._ended", "dict")])
    what = Leak(chain, "dict entry (Manager)", 1.0, 2047, 2046, 5)
    path = ROOT / TRACES / "ids-collide.jsonl"
    target = load_target(read_header(path).driver)
    trace = read(path, target.model.kinds())
    failure = replay(Runs(target, Recorder(None)), trace.header, trace.operations)
    assert failure is not None
    leaking = leak_failure(what, failure.steps[:1], [], {})
    signature, text = str(leaking.signature), failure_text(leaking, one.trace)
    return replace(one, signature=signature, text=text, play=played(leaking), steps=1)


@cache
def at_once() -> FailureRecord:
    """Return a failure of operations that overlap: two wait, one leaves, one just runs."""
    target = load_target("tests.toys.racing:Halving")
    header = Header("desks", target.name, overlap=True)
    operations = [
        Desks.write("ana", "hi").timed(Timing(delays=((1, 3), (2, 2)))),
        Desks.enter("ana").timed(Timing(DURING, ((1, 3),), cancelled_at=1)),
        Desks.write("ben", "yo").timed(Timing(DURING)),
        Desks.write("ana", "yo").timed(Timing(DURING, ((1, 9),))),
    ]
    failure = replay(Runs(target, Recorder(None)), header, enumerate(operations, 1))
    assert failure is not None
    return replace(
        failure_of("ids-collide"),
        signature=str(failure.signature),
        text=failure_text(failure, f"{TRACES}/ids-collide.jsonl"),
        play=played(failure),
        steps=len(failure.steps),
    )


def record(*failures: FailureRecord) -> Record:
    """Return a campaign that has found these."""
    number = len(failures)
    failed = f"failed: {number} unaccepted failures, {number} for the first time"
    return Record(
        name="20261126T020000Z-7",
        command="nightly",
        version="0.2.0",
        seed=7,
        engine="explore",
        began="2026-11-26T02:00:00Z",
        took_s=60.0,
        ended="time over",
        exit=int(bool(failures)),
        verdict=failed if failures else "passed: no unaccepted failure",
        workers=2,
        budget_s=60.0,
        versions={"python": "3.11.7", "threadline": "0.2.0"},
        scenarios=(_scenario({each.signature: each.runs for each in failures}),),
        failures=failures,
        known=(
            KnownRecord("keys-create", DRIVER, "to be fixed in May", "known", until="2027-06-01"),
            KnownRecord("memory-wait", DRIVER, "a cache", "fixed"),
        ),
        samples=tuple(
            Sample(float(n), n * n * 40, n, n * 3, {"keys": 80.0 + n, "keys-2": 70.0 + n / 2})
            for n in range(20)
        ),
        trend=tuple(
            Night(f"n{n}", f"2026-11-{n:02}T02:00:00Z", n % 3, 1, n % 2, n * 1000, n, n * 9, n * 5)
            for n in range(1, 26)
        ),
        corpus=CorpusRecord("reports/corpus", 3, 8, 11, 1, 0, ("isolation-read",)),
        notes=("set aside: x.jsonl: it is damaged",),
    )


def _scenario(failures: dict[str, int]) -> ScenarioRecord:
    return ScenarioRecord(
        name=SCENARIO,
        driver=DRIVER,
        runs=40,
        steps=938,
        seconds=50.0,
        failures=failures,
        operations={"get": {"ok": 900, "refused: expired": 7}, "wait": {"ok": 31}, "sweep": {}},
        states=120,
        transitions=300,
        lines={"sessions/registry.py": "1-5,9"},
        unused=("sweep: no pool had a value",),
        never=("sweep",),
    )


def hostile() -> Record:
    """Return a campaign in which every text is hostile, and some are a megabyte."""
    large = HOSTILE * 20_000
    made = record(*[_hostile_failure(large)] * 30)
    scenario = replace(
        made.scenarios[0],
        name=HOSTILE,
        driver=HOSTILE,
        note=HOSTILE,
        unused=(HOSTILE,),
        unmet=(HOSTILE,),
        never=(HOSTILE,),
        operations={HOSTILE: {HOSTILE: 1}},
    )
    return replace(
        made,
        verdict=HOSTILE,
        scenarios=(scenario,),
        known=(KnownRecord(HOSTILE, HOSTILE, HOSTILE, "known", HOSTILE),),
        samples=(Sample(0, 0, 0, 0), Sample(1, 1, 1, 1, {HOSTILE: 1.0})),
        notes=(large,),
        versions={HOSTILE: HOSTILE},
    )


def _hostile_failure(large: str) -> FailureRecord:
    one = failure_of("ids-collide")
    step = {**one.play["steps"][0], "call": HOSTILE, "actor": HOSTILE, "actual": HOSTILE}
    play = {
        **one.play,
        "signature": HOSTILE,
        "expected": HOSTILE,
        "actual": HOSTILE,
        "chain": [[HOSTILE, HOSTILE]],
        "order": HOSTILE,
        "lanes": [{"number": 2, "call": HOSTILE, "timing": HOSTILE, "spans": [[HOSTILE, 0, 1]]}],
        "steps": [step, {**step, "number": 2, "differs": True, "expected": "x"}],
    }
    return replace(
        one,
        signature=HOSTILE,
        scenario=HOSTILE,
        driver=HOSTILE,
        trace=HOSTILE,
        lines=large,
        text=large,
        replay=HOSTILE,
        play=play,
        doubt=HOSTILE,
        also=(HOSTILE, large),
    )
