"""What an operation came back with: Ok, Refused, Crashed or Unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from .shown import MORE, shown

Told: TypeAlias = Mapping[object, list[object]]
"""What was told since the last operation, in order, by whom it was told to."""

# What the lists, dicts and sets have more of that a system returned, once they were compared.
CHANGED = "changed by its caller"


class _Later:
    """Stands for an outcome that is not known yet."""

    def __repr__(self) -> str:
        return "later"


LATER: Final = _Later()
"""Returned by a model, of an operation whose outcome a later moment tells (`Model.go_on`)."""


@dataclass(frozen=True, slots=True)
class Ok:
    """It was done; `warnings` are the categories of the warnings that were given on the way."""

    value: object = None
    warnings: tuple[str, ...] = ()
    told: Told | None = field(default=None, hash=False)

    def __str__(self) -> str:
        text = "ok" if self.value is None else f"ok, {shown(self.value)}"
        return _with_more(text, self.warnings, self.told)


@dataclass(frozen=True, slots=True)
class Refused:
    """It was turned down for a named reason; `because` is for the reader and is not compared.

    `says`, of a model: what the text of the system's error must have. `text`, of a system: all of
    that text, for a user may see it; None where a driver does not tell it.
    """

    reason: str
    because: str = field(default="", compare=False)
    warnings: tuple[str, ...] = ()
    told: Told | None = field(default=None, hash=False)
    says: tuple[str, ...] = field(default=(), compare=False)
    text: str | None = field(default=None, compare=False)

    def unsaid(self, by: Refused) -> list[str]:
        """Return what this says that is not in the text of another's error."""
        return [] if by.text is None else [each for each in self.says if each not in by.text]

    def __str__(self) -> str:
        because = f", because {self.because}" if self.because else ""
        return _with_more(f"refused ({self.reason}){because}", self.warnings, self.told)


@dataclass(frozen=True, slots=True)
class Crashed:
    """It raised what its driver does not translate; `where` is the line that raised."""

    error: str
    where: str = field(default="", compare=False)
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f", raised in {self.where}" if self.where else ""
        return _with_more(f"crashed ({self.error}){where}", self.warnings)


@dataclass(frozen=True, slots=True)
class Hung:
    """It did not come back within its limit; `where` tells what it waits for."""

    limit: str
    where: str = field(default="", compare=False)
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f", waiting in {self.where}" if self.where else ""
        return _with_more(f"did not come back within {self.limit}{where}", self.warnings)


@dataclass(frozen=True, slots=True)
class Unknown:
    """It was sent and no answer came: it may have happened."""

    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        return _with_more("unknown", self.warnings)


Outcome: TypeAlias = Ok | Refused | Crashed | Hung | Unknown


class Refuse(Exception):
    """Raised by a model: the operation is turned down for a named reason.

    `reason` is compared with the system's; `because` is for the reader alone. What it `says` must
    be in the text of the system's error: the name of a field, say, or a limit.
    """

    def __init__(self, reason: str, because: str = "", says: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.because = because
        self.says = says


class Unpredictable(Exception):
    """Raised by a model, with nothing changed: nobody can say how the system must answer here.

    The step is not played, and a replay that comes to it skips it. `because` says why not.
    """


def _with_more(text: str, warnings: tuple[str, ...], told: Told | None = None) -> str:
    warned = f", warning {' and '.join(warnings)}" if warnings else ""
    heard = [
        "..." if to is MORE else f"{to} was told {', '.join(map(shown, what))}"
        for to, what in (told or {}).items()
    ]
    return "; ".join([f"{text}{warned}", *heard])
