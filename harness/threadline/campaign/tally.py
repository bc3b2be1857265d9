"""A tally: adds up the events of one worker after another on the same scenario."""

from __future__ import annotations

from dataclasses import replace

from .events import Began, Ended, Event, Found, Listener, Memory, Progress, Shorter


class Tally:
    """Passes the events of all workers to `listen` as if they were one worker's."""

    def __init__(self, scenario: str, listen: Listener) -> None:
        self.runs = 0
        self.steps = 0
        self.last_run = 0
        self.failures: dict[str, int] = {}
        self.known: dict[str, int] = {}
        self.traces: dict[str, str] = {}  # the file of each failure, "" where there is none
        self.doubted: set[str] = set()  # signatures of failures that were seen to come by chance
        self.ended = False
        self._scenario = scenario
        self._listen = listen
        self._began = False
        self._runs_before = 0
        self._steps_before = 0
        self._found: set[str] = set()  # by this worker

    def begin_worker(self) -> None:
        """Count the events from here on as those of another worker."""
        self._runs_before, self._steps_before = self.runs, self.steps
        self._found = set()

    def hear(self, event: Event) -> None:
        """Take one event, and pass it on with the numbers of all workers."""
        if isinstance(event, Memory):
            self._listen(event)
            return
        if not self._began:
            self._began = True
            if not isinstance(event, Began):  # its worker has ended before it could tell
                self._listen(Began(self._scenario))
        elif isinstance(event, Began):
            return
        if isinstance(event, Progress):
            self._count(event)
            self.last_run = event.last_run
            event = replace(event, runs=self.runs, steps=self.steps)
        elif isinstance(event, Found | Shorter):
            self._take(event)
        elif isinstance(event, Ended):
            self._count(event)
            self._add(event.failures)
            for name, times in event.known.items():
                self.knows(name, times)
            self.ended = True
            event = replace(
                event,
                runs=self.runs,
                steps=self.steps,
                failures=self.failures,
                known=self.known,
                # What the last worker has not used or met, one before it may have.
                unused=[] if self._runs_before else event.unused,
                unmet=[] if self._runs_before else event.unmet,
            )
        self._listen(event)

    def _take(self, event: Found | Shorter) -> None:
        self.traces[event.signature] = event.trace
        self.doubted.discard(event.signature)
        if isinstance(event, Shorter) and event.doubt:
            self.doubted.add(event.signature)
        if isinstance(event, Found) and not event.instead:
            self.found(event.signature)
            self._found.add(event.signature)

    def found(self, signature: str) -> None:
        """Count a run that has ended with this failure."""
        self.failures[signature] = self.failures.get(signature, 0) + 1

    def knows(self, signature: str, runs: int = 1) -> None:
        """Count runs in which a known failure came."""
        self.known[signature] = self.known.get(signature, 0) + runs

    def died(self, runs: int, steps: int) -> None:
        """Count the run that has ended a worker, after so many steps.

        It was the last of so many runs; 0 where that is unknown.
        """
        self.runs = max(self.runs + 1, self._runs_before + runs)
        self.steps += steps

    def end(self, note: str, *, is_unreached: bool = False) -> None:
        """Send the event that ends the scenario, after a worker that did not send it."""
        self.hear(Ended(0, 0, {}, note=note, is_unreached=is_unreached))

    def _add(self, failures: dict[str, int]) -> None:
        for name, count in failures.items():
            more = count - (name in self._found)  # told already, and counted then
            self.failures[name] = self.failures.get(name, 0) + more

    def _count(self, event: Progress | Ended) -> None:
        self.runs = max(self.runs, self._runs_before + event.runs)
        self.steps = max(self.steps, self._steps_before + event.steps)
