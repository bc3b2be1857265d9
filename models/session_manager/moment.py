"""Which step it is, and what time: after the one ids are named, by the other things age."""

from __future__ import annotations

from dataclasses import dataclass

from harness.handle import Handle


@dataclass(slots=True)
class Moment:
    """Shared by all parts of one model; now_s is seconds since the start of the run."""

    step: int = 0
    now_s: float = 0.0

    def mint(self, kind: str) -> Handle:
        """Name an id that the system makes in this step."""
        return Handle(kind, self.step)
