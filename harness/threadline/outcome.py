"""What an operation came back with: Ok, Refused, Crashed or Unknown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Ok:
    """It was done; `warnings` are the categories of the warnings that were given on the way."""

    value: object = None
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        return _with_warnings("ok" if self.value is None else f"ok, {self.value!r}", self.warnings)


@dataclass(frozen=True, slots=True)
class Refused:
    """It was turned down for a named reason; `because` is for the reader and is not compared."""

    reason: str
    because: str = field(default="", compare=False)
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        because = f", because {self.because}" if self.because else ""
        return _with_warnings(f"refused ({self.reason}){because}", self.warnings)


@dataclass(frozen=True, slots=True)
class Crashed:
    """It raised what its driver does not translate; `where` is the line that raised."""

    error: str
    where: str = field(default="", compare=False)
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f", raised in {self.where}" if self.where else ""
        return _with_warnings(f"crashed ({self.error}){where}", self.warnings)


@dataclass(frozen=True, slots=True)
class Hung:
    """It did not come back within its limit; `where` tells what it waits for."""

    limit: str
    where: str = field(default="", compare=False)
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f", waiting in {self.where}" if self.where else ""
        return _with_warnings(f"did not come back within {self.limit}{where}", self.warnings)


@dataclass(frozen=True, slots=True)
class Unknown:
    """It was sent and no answer came: it may have happened."""

    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        return _with_warnings("unknown", self.warnings)


Outcome: TypeAlias = Ok | Refused | Crashed | Hung | Unknown


def _with_warnings(text: str, warnings: tuple[str, ...]) -> str:
    return f"{text}, warning {' and '.join(warnings)}" if warnings else text
