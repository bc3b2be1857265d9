"""Which warnings a step gave: recorded once for a whole campaign, taken step by step."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from .log_recorder import Logged, logs_recorded


class Warned:
    """The categories of the warnings given since the last take().

    resources: how many ResourceWarnings there were, which belong to no step. logged: what was
    logged, with the texts of the warnings.
    """

    def __init__(self, logged: Logged | None = None) -> None:
        self.categories: list[str] = []
        self.resources = 0
        self.logged = logged or Logged()

    def take(self) -> tuple[str, ...]:
        """Return the categories, in order, and forget them."""
        taken = tuple(self.categories)
        self.categories.clear()
        return taken

    def note(self, message: Warning | str, category: type[Warning], *_: object) -> None:
        if issubclass(category, ResourceWarning):  # comes whenever the garbage collector does
            self.resources += 1
        else:
            self.categories.append(category.__name__)
            self.logged.add(f"{category.__name__}: {message}")


@contextmanager
def warnings_recorded() -> Iterator[Warned]:
    """Record every warning, each time it is given, and what is logged, until the block ends."""
    with logs_recorded() as logged, warnings.catch_warnings():
        warned = Warned(logged)
        warnings.simplefilter("always")
        warnings.showwarning = warned.note  # type: ignore[assignment]  # takes the same, and more
        yield warned
