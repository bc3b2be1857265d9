"""Known failures: those that a team has looked at, and accepts for now."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from .trace import is_signature_of

FILE = "known.toml"
TRACES = "known"  # the folder beside it, in which the traces of accepted failures are kept
WANTED = {
    "signature": (str, 'a text, as in "memory-wait.timers"'),
    "driver": (str, 'a text, as in "drivers.mine:MyDriver"'),
    "reason": (str, "a text"),
    "link": (str, "a text"),
    "until": (date, "a date without quotes, as in 2027-03-01"),
    "trace": (str, f'a path beside {FILE}, as in "known/timers.jsonl"'),
    "tolerate": (bool, "true or false"),
}


class BadKnown(ValueError):
    """A file of known failures is not as it should be; says which entry, and what to write."""


@dataclass(frozen=True, slots=True)
class Known:
    """A failure that is known, and why; it is counted, and reported apart from new ones.

    signature: as a failure's text shows it, or the property and operation alone for all its kinds.
    driver: MODULE:NAME of the driver that has it; "" for any. link: where it is followed up. until:
    the first day on which it fails again, so that nobody forgets it. trace: a file with its
    minimised trace, which is replayed first. tolerate: what differs is not compared any more in the
    run, which goes on; otherwise the run ends.
    """

    signature: str
    reason: str
    driver: str = ""
    link: str = ""
    until: date | None = None
    trace: str = ""
    tolerate: bool = False

    def covers(self, signature: object, driver: str) -> bool:
        """Return whether a failure of this signature, on this driver, is the one that is known."""
        return self.driver in ("", driver) and is_signature_of(self.signature, signature)

    def has_expired(self, today: date) -> bool:
        return self.until is not None and today >= self.until

    def entry(self) -> str:
        """Return the entry as known.toml has it."""
        lines = ["[[known]]"]
        for name in WANTED:
            value = getattr(self, name)
            if isinstance(value, date):
                lines.append(f"{name} = {value.isoformat()}")
            elif value:
                lines.append(f"{name} = {json.dumps(value)}")
        return "\n".join(lines) + "\n"


def known_file(folder: Path | None = None) -> Path:
    """Return where the known failures of a project are: beside its pyproject.toml, if it has it."""
    here = (folder or Path.cwd()).resolve()
    for place in (here, *here.parents):
        if (place / "pyproject.toml").is_file():
            return place / FILE
    return here / FILE


def read_known(path: Path) -> tuple[Known, ...]:
    """Return the entries of a file, none if there is no such file; traces are found beside it.

    Raises BadKnown for one that is not as it should be.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        raise BadKnown(f"{path} cannot be read: {error}") from error
    entries = content.pop("known", [])
    if content or not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        other = ", ".join(content) or "known"
        raise BadKnown(f"{path} has {other}; write each known failure under [[known]]")
    return tuple(_entry(path, number, entry) for number, entry in enumerate(entries, 1))


def known_on(
    driver: str, own: Iterable[Known], file: Path, today: date
) -> tuple[list[Known], list[Known]]:
    """Return the entries in force for a driver today, its `own` and a file's; and the expired ones.

    Raises BadKnown.
    """
    of_driver = [replace(entry, driver=entry.driver or driver) for entry in own]
    entries = [each for each in (*read_known(file), *of_driver) if each.driver in ("", driver)]
    expired = [entry for entry in entries if entry.has_expired(today)]
    return [entry for entry in entries if entry not in expired], expired


def _entry(path: Path, number: int, entry: Mapping[str, Any]) -> Known:
    where = f"{path}: entry {number}"
    for name, value in entry.items():
        if name not in WANTED:
            raise BadKnown(f"{where} has {name!r}; it can have {', '.join(WANTED)}")
        kind, what = WANTED[name]
        if type(value) is not kind:
            raise BadKnown(f"{where}: {name} is {value!r}; write {what}")
    for name in ("signature", "reason"):
        if not entry.get(name):
            raise BadKnown(f"{where} has no {name}; write {name} = {WANTED[name][1]}")
    trace = entry.get("trace", "")
    if trace and not (path.parent / trace).is_file():
        raise BadKnown(f"{where}: there is no file {trace} beside {path.name}")
    return Known(**{**entry, "trace": str(path.parent / trace) if trace else ""})


def covering(known: Iterable[Known], signature: object, driver: str) -> Known | None:
    """Return the first entry that covers a failure, if there is one."""
    return next((entry for entry in known if entry.covers(signature, driver)), None)
