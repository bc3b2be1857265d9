"""A handle: the name that a trace has for a value that only the system knows."""

from __future__ import annotations

from typing import NamedTuple


class Handle(NamedTuple):
    """The value of this kind that the step of this number returned; prints as `c_7`.

    A type of its own and never a string, so that no text of a user is taken for one.
    """

    kind: str
    step: int

    def __str__(self) -> str:
        return f"{self.kind}_{self.step}"

    def __repr__(self) -> str:
        return str(self)


class Dangling(LookupError):
    """An operation names a handle that is bound to nothing: a replay skips the operation."""

    def __init__(self, handle: Handle) -> None:
        super().__init__(f"{handle} names nothing: no step brought it back, or it has ended")
        self.handle = handle


def parse_handle(text: str) -> Handle:
    """Return the handle that prints as this text; raise ValueError for any other text."""
    kind, _, step = text.rpartition("_")
    if kind and step.isascii() and step.isdigit() and str(int(step)) == step:
        return Handle(kind, int(step))
    raise ValueError(f"{text!r} is no handle; write KIND_STEP, as in c_7")
