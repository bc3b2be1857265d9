"""Stored traces in a worker: played as they are, each for the failure that it was stored for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..lockstep.outcomes import ModelError
from ..lockstep.run import Batch, Runs
from ..printable import quoted
from ..trace import BadTrace, Trace, parse
from .chance import first_failure
from .events import Listener, Replayed


@dataclass(slots=True)
class Replays:
    """Plays stored traces, given as names and contents; an engine that searches for nothing.

    A trace that cannot be read or played any more, as its model has changed, is reported and left
    out. `tell` gets an event for each.
    """

    runs: Runs
    stored: Sequence[Sequence[str]]
    tell: Listener

    def batches(self, first: int = 1) -> Iterator[Batch]:
        """Yield the play of each trace from number `first` on, under that number as its run."""
        for number, (name, content) in enumerate(self.stored[first - 1 :], first):
            trace = self.read(name, content)
            if trace is None:
                continue
            header = replace(trace.header, run=number)
            try:
                failure = first_failure(Trace(header, trace.operations), self.runs)
            except ModelError as error:
                self.set_aside(name, trace, str(error))
                continue
            came = str(failure.signature) if failure else ""
            self.tell(Replayed(trace.header.signature, name, came, is_known=False))
            steps = len(failure.steps) if failure else len(trace.operations)
            yield Batch(1, steps, header, failure)

    def read(self, name: str, content: str) -> Trace | None:
        """Return a stored trace; None, with an event, where it does not fit the model any more."""
        target = self.runs.target
        try:
            lines = content.encode("ascii").split(b"\n")
            trace = parse(name, lines, target.model.kinds())[0]
        except (BadTrace, UnicodeEncodeError) as error:
            self.set_aside(name, None, str(error))
            return None
        try:
            target.new_model(trace.header.settings)
        except Exception as error:  # whatever a constructor makes of settings that it does not know
            self.set_aside(name, trace, f"{type(error).__name__}: {error}")
            return None
        return trace

    def set_aside(self, name: str, trace: Trace | None, why: str) -> None:
        """Report a trace that cannot be played any more."""
        signature = trace.header.signature if trace else ""
        self.tell(Replayed(signature, name, "", is_known=False, trouble=quoted(why)))

    def unused(self) -> list[str]:
        """Return nothing: no rule is drawn here."""
        return []
