"""A crew: the workers of one analysis, each a process that threads of this one talk to."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import asdict
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any, TypeVar

from ..campaign.child import Child
from ..loading import BadName
from .verdict import KILLED, Plan, Reached, Verdict

T = TypeVar("T")
DIED = "liveness-worker"
DEATHS_MAX = 2  # of workers by one mutant: the first may have had another cause


class SightFailed(RuntimeError):
    """A worker ended by a bug that is not the system's: in a scenario or the harness."""


class Crew:
    """Tries mutants on so many processes at the same time."""

    def __init__(self, plan: Plan, workers: int) -> None:
        self._plan = plan
        self._workers = workers
        self._free: SimpleQueue[_Line] = SimpleQueue()
        self._lines: list[_Line] = []
        self._folder = TemporaryDirectory(prefix="sight-")

    def reached(self, scenarios: Sequence[str]) -> list[Reached]:
        """Return what each scenario reaches, in the same order; raises SightFailed, BadName."""

        def reach(scenario: str) -> Reached:
            answer = self._ask({"reach": scenario})
            return Reached(**answer) if answer else Reached(scenario, fails=DIED)

        found = {each.scenario: each for each in self._each(reach, scenarios, lambda: False)}
        return [found[scenario] for scenario in scenarios]

    def verdicts(
        self, asked: Iterable[tuple[int, Sequence[str]]], is_over: Callable[[], bool]
    ) -> Iterator[Verdict]:
        """Yield what comes of each mutant, given by its number and its scenarios, as it ends.

        What was not begun when time `is_over` is left out. Raises SightFailed.
        """

        def tried(one: tuple[int, Sequence[str]]) -> Verdict:
            number, scenarios = one
            for _ in range(DEATHS_MAX):
                if answer := self._ask({"try": number, "on": list(scenarios)}):
                    return Verdict(**answer)
            return Verdict(number, KILLED, scenarios[0], DIED, 1)

        yield from self._each(tried, list(asked), is_over)

    def close(self) -> None:
        """End all processes, and remove what they have left."""
        for line in self._lines:
            line.close()
        self._folder.cleanup()

    def _each(
        self, work: Callable[[Any], T], given: Sequence[Any], is_over: Callable[[], bool]
    ) -> Iterator[T]:
        def unless_over(one: Any) -> list[T]:
            return [] if is_over() else [work(one)]

        with ThreadPoolExecutor(self._workers, "sight") as threads:
            ahead = [threads.submit(unless_over, one) for one in given]
            try:
                for done in as_completed(ahead):
                    yield from done.result()
            except BaseException:
                threads.shutdown(wait=False, cancel_futures=True)
                self.close()  # which ends what the threads wait for
                raise

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the answer of a worker that is free; nothing where its process has ended."""
        try:
            line = self._free.get_nowait()
        except Empty:
            line = _Line(self._plan, mkdtemp(dir=self._folder.name))
            self._lines.append(line)
        answer = line.ask(request)
        if not line.is_gone:
            self._free.put(line)
        return answer


class _Line:
    """One worker's process, and the pipes to it."""

    def __init__(self, plan: Plan, folder: str) -> None:
        pipe = subprocess.PIPE
        self._child = Child(["threadline.sight.worker"], stdin=pipe, stdout=pipe)
        self.is_gone = False
        ready = self.ask({"plan": asdict(plan), "folder": folder})
        if not ready:
            self.close()
            raise SightFailed(f"the process that loads {plan.driver} has ended")

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a request; nothing where the process ends without one."""
        process = self._child.process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(request).encode("ascii") + b"\n")
            process.stdin.flush()
            answer: dict[str, Any] = json.loads(process.stdout.readline() or b"{}")
        except (OSError, ValueError):  # it ended, or was ended
            answer = {}
        if not answer:
            self.close()
        if "broke" in answer:
            raise SightFailed(answer["broke"])
        if "unusable" in answer:
            raise BadName(answer["unusable"])
        return answer

    def close(self) -> None:
        """End the process and its children; a second time it does nothing."""
        if self.is_gone:
            return
        self.is_gone = True
        self._child.end()
        for stream in (self._child.process.stdin, self._child.process.stdout):
            if stream is not None:
                with suppress(OSError):  # what was written and not read is lost
                    stream.close()
