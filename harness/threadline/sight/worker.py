"""A worker: the process that tries one mutant after another, each in a fork of its own."""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ..campaign.child import FileWatch
from ..campaign.isolate import end_of, last_run
from ..descriptor import CHANNEL, leash, out_of_the_way
from ..loading import BadName
from ..outcome import Hung, Outcome
from .put_in import CannotPutIn
from .trial import Bench, bench_of, fails_as_it_is, reached, tried
from .verdict import KILLED, TIMEOUT, UNREACHED, Plan, Reached, Verdict


def main() -> None:
    """Read a plan and a folder, then requests, a line of JSON each; answer each with a line."""
    leash(int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the command's to handle
    asked, answers = _private(0), _private(1)
    with os.fdopen(asked, "rb") as requests:
        first = json.loads(requests.readline())
        try:
            bench = bench_of(Plan(**first["plan"]))
        except BadName as error:
            _send(answers, {"unusable": str(error)})
            return
        worker = Worker(bench, Path(first["folder"]), (asked, answers))
        _send(answers, {"ready": len(bench.mutants)})
        for line in requests:
            try:
                _send(answers, worker.answer(json.loads(line)))
            except Exception as error:
                _send(answers, {"broke": "".join(traceback.format_exception(error)).rstrip()})


def _private(descriptor: int) -> int:
    """Move a standard descriptor out of the way of what systems print and read."""
    moved = out_of_the_way(os.dup(descriptor), CHANNEL + descriptor)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, descriptor)
    os.close(nothing)
    return moved


def _send(descriptor: int, answer: dict[str, Any]) -> None:
    rest = memoryview(json.dumps(answer).encode("ascii") + b"\n")
    while rest:
        rest = rest[os.write(descriptor, rest) :]


PATIENCE = 4  # times as long has a step that seemed to hang, when it is tried again


class Broke(RuntimeError):
    """A fork ended by a bug that is not the system's; has its traceback."""


class Worker:
    """Answers requests, each by what a fork of this process does.

    A fork costs a few milliseconds, and whatever a mutant does to its process ends with it: so what
    comes of a mutant does not depend on those before.
    """

    def __init__(self, bench: Bench, folder: Path, private: tuple[int, int]) -> None:
        self._bench = bench
        self._running = folder / "running.jsonl"
        self._answer = folder / "answer.json"
        self._trace = folder / "trace.jsonl"
        self._private = private

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer {"reach": SCENARIO} or {"try": NUMBER, "on": SCENARIOS}; raises Broke."""
        if "reach" in request:
            return asdict(self._reached(request["reach"]))
        return asdict(self._tried(request["try"], request["on"]))

    def _reached(self, scenario: str) -> Reached:
        limit_s = self._bench.plan.start_s  # of a step: no mutant is to blame for a slow one
        end = self._forked(
            lambda: asdict(reached(self._bench, scenario, self._running)), hang_s=limit_s
        )
        if isinstance(end, dict):
            return Reached(**end)
        return Reached(scenario, fails=f"liveness: {end}")

    def _tried(self, number: int, scenarios: list[str]) -> Verdict:
        bench, mutant = self._bench, self._bench.mutants[number - 1]
        began_s = time.monotonic()

        def work() -> dict[str, Any]:
            try:
                verdict, trace = tried(bench, mutant, scenarios, self._running)
            except CannotPutIn:
                return asdict(Verdict(number, UNREACHED))
            self._trace.write_bytes(trace)
            return asdict(verdict)

        self._trace.unlink(missing_ok=True)
        whole_s = 2 * bench.plan.whole_s
        end = self._forked(work, whole_s)
        if isinstance(end, Hung):  # as anything may on a busy machine: it has one more chance
            end = self._forked(work, whole_s, patience=PATIENCE)
        verdict = Verdict(**end) if isinstance(end, dict) else self._ended(number, scenarios, end)
        if isinstance(end, dict) and verdict.status == KILLED:
            verdict = self._confirmed(verdict)
        return replace(verdict, seconds=round(time.monotonic() - began_s, 3))

    def _ended(self, number: int, scenarios: list[str], end: Outcome) -> Verdict:
        """Return what came of a mutant that has ended its process, or had to be ended."""
        run = last_run(self._running, self._bench.target)
        scenario, played, step = scenarios[0], 1, "start"
        if run is not None:
            header, operations = run[0].header, run[0].operations
            scenario, played = header.scenario, header.run
            step = operations[-1][1].kind if operations else step
        status = TIMEOUT if isinstance(end, Hung) else KILLED
        return Verdict(number, status, scenario, f"liveness-{step}", played)

    def _confirmed(self, verdict: Verdict) -> Verdict:
        """Return a verdict, with how its run fails on the unchanged system, if it does."""
        trace = self._trace.read_bytes()
        if not trace:
            return verdict
        end = self._forked(lambda: {"fails": fails_as_it_is(self._bench, trace, self._running)})
        fails = end["fails"] if isinstance(end, dict) else f"liveness: {end}"
        return replace(verdict, fails=fails)

    def _forked(
        self,
        work: Callable[[], dict[str, Any]],
        whole_s: float = math.inf,
        *,
        hang_s: float = 0.0,
        patience: int = 1,
    ) -> dict[str, Any] | Outcome:
        """Do work in a fork, and return what it returns, or how the process ended else.

        It has so many seconds at most, and each step of a run `hang_s`: the plan's, if not given.
        With `patience` the start and each step have so many times as long.
        """
        for file in (self._running, self._answer):
            file.unlink(missing_ok=True)
        child = os.fork()
        if child == 0:
            self._do(work)
        plan, began_s = self._bench.plan, time.monotonic()

        def limit_s() -> float:
            if time.monotonic() - began_s > whole_s:
                return 0.0
            with suppress(OSError):
                if self._running.stat().st_size:
                    return patience * (hang_s or plan.hang_s)
            return patience * plan.start_s

        end = end_of(child, FileWatch(self._running), plan.memory_max_mib, limit_s)
        try:
            answer = json.loads(self._answer.read_bytes())
        except (OSError, ValueError):
            return end
        if "broke" in answer:
            raise Broke(answer["broke"])
        assert isinstance(answer, dict)
        return answer

    def _do(self, work: Callable[[], dict[str, Any]]) -> None:
        """Do work in this process, which is a fork, and end it."""
        for descriptor in self._private:
            os.close(descriptor)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 2)
        try:
            answer = work()
        except BaseException as error:
            answer = {"broke": "".join(traceback.format_exception(error)).rstrip()}
        try:
            partial = self._answer.with_suffix(".partial")
            partial.write_text(json.dumps(answer), "ascii")
            partial.replace(self._answer)
        finally:
            os._exit(0)


if __name__ == "__main__":
    main()
