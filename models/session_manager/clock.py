"""Which step it is, and what time: after the one ids are named, by the other things age."""

from __future__ import annotations

from dataclasses import dataclass, field

from threadline import Handle


@dataclass(slots=True)
class Clock:
    """Shared by all parts of one model; now_s is seconds since the start of the run."""

    step: int = 0
    now_s: float = 0.0
    _minted: dict[tuple[str, int], int] = field(default_factory=dict)

    def new_handle(self, kind: str) -> Handle:
        """Name an id that the system makes in this step."""
        return Handle(kind, self.step)

    def another_handle(self, kind: str) -> Handle:
        """Name one id more of a kind: e, e2, e3 and so on in each step."""
        count = self._minted.get((kind, self.step), 0) + 1
        self._minted[kind, self.step] = count
        return self.new_handle(kind if count == 1 else f"{kind}{count}")
