"""Which warnings a step gave: recorded once for a whole campaign, taken step by step."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


class Warned:
    """The categories of the warnings given since the last take().

    resources: how many ResourceWarnings there were, which belong to no step.
    """

    def __init__(self) -> None:
        self.categories: list[str] = []
        self.resources = 0

    def take(self) -> tuple[str, ...]:
        """Return the categories, in order, and forget them."""
        taken = tuple(self.categories)
        self.categories.clear()
        return taken

    def note(self, _message: Warning | str, category: type[Warning], *_: object) -> None:
        if issubclass(category, ResourceWarning):  # comes whenever the garbage collector does
            self.resources += 1
        else:
            self.categories.append(category.__name__)


@contextmanager
def warnings_recorded() -> Iterator[Warned]:
    """Record every warning, each time it is given, until the block ends."""
    warned = Warned()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = warned.note  # type: ignore[assignment]  # takes the same, and more
        yield warned
