"""A corpus: what earlier campaigns have found and reached, in a folder that machines can share.

`failures/` and `behaviour/` hold traces, one file each, named by what they contain, so that two
machines that add the same trace add the same file; `nights/` a file for each campaign; `aside/`
what could not be read any more.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..json_lines import BadTrace, json_object
from ..printable import printable, quoted
from ..search.behaviour import unpacked
from ..trace import FORMAT
from ..whole_file import write_whole

CORPUS = Path("reports/corpus")  # where it is, unless it is said otherwise
FAILURES, BEHAVIOUR, NIGHTS, ASIDE = "failures", "behaviour", "nights", "aside"
TRACES_MAX = 1_000  # of each kind, unless it is said otherwise; our choice
NIGHTS_MAX = 60
BYTES_MAX = 1 << 20  # of a trace; a longer one is set aside
# The parts of a header that say what is played, and not how it was found.
PLAYED = ("contract", "driver", "scenario", "settings", "signature", "round_trip", "tolerates")


@dataclass(frozen=True, slots=True)
class Stored:
    """A trace of the corpus: its file, the content, and what its header says."""

    path: Path
    content: str
    header: Mapping[str, Any]

    @property
    def signature(self) -> str:
        return str(self.header.get("signature", ""))

    @property
    def states(self) -> frozenset[int]:
        """The states that it was the first to reach."""
        with suppress(ValueError, TypeError):
            return frozenset(unpacked(self.header.get("reached", "")))
        return frozenset()

    def is_of(self, scenario: str, driver: str) -> bool:
        return (self.header.get("scenario"), self.header.get("driver")) == (scenario, driver)


@dataclass(slots=True)
class Corpus:
    """A corpus in a folder, which need not be there yet.

    `most` traces of each kind are kept. `trouble` says why nothing can be written, if so; `aside`
    has what could not be read, by the name of its file, with the reason, and `newer` the files of a
    newer version, which stay. One that `is_frozen` is read, and never changed.
    """

    folder: Path
    most: int = TRACES_MAX
    is_frozen: bool = False
    trouble: str = ""
    aside: dict[str, str] = field(default_factory=dict)
    newer: list[str] = field(default_factory=list)
    added: int = 0
    dropped: int = 0

    def failures(self) -> list[Stored]:
        """Return the failing traces, shortest first; what cannot be read is set aside."""
        return self._stored(FAILURES)

    def behaviour(self) -> list[Stored]:
        """Return the traces that have reached something first, shortest first."""
        return self._stored(BEHAVIOUR)

    def nights(self) -> list[dict[str, Any]]:
        """Return what earlier campaigns came to, oldest first; what is unreadable is left out."""
        found = []
        for path in self._files(NIGHTS, ".json"):
            with suppress(OSError, ValueError, RecursionError):
                values = json.loads(path.read_text("utf-8"))
                if isinstance(values, dict) and isinstance(values.get("began"), str):
                    found.append(values)
        return sorted(found, key=lambda night: (night["began"], str(night.get("name"))))

    def unreached(self) -> set[tuple[str, str]]:
        """Return the scenarios, each with its driver, that the last campaign had no time for."""
        listed = (self.nights() or [{}])[-1].get("reached")
        each = listed if isinstance(listed, list) else []
        return {
            (str(one.get("scenario")), str(one.get("driver")))
            for one in each
            if isinstance(one, dict) and one.get("steps") == 0
        }

    def keep_failure(self, lines: str) -> Path | None:
        """Keep a failing trace; return its file, if it was not there before and is now."""
        return self._keep(FAILURES, lines)

    def keep_shorter(self, lines: str, long: Path | None) -> None:
        """Keep a failing trace in place of a longer one that was kept before."""
        self._keep(FAILURES, lines)
        short = self._path(FAILURES, lines)
        if long is not None and long != short and short.exists():
            self.forget(long)

    def forget(self, path: Path) -> None:
        """Remove a trace that does not stand for its failure."""
        self.added -= 1
        self._unlink(path)

    def keep_behaviour(self, lines: str, reached: str) -> None:
        """Keep a trace that was the first to reach these states, packed."""
        header, _, rest = lines.partition("\n")
        values = {**json.loads(header), "reached": reached}
        self._keep(BEHAVIOUR, f"{json.dumps(values)}\n{rest}")

    def keep_night(self, name: str, values: Mapping[str, Any]) -> None:
        """Keep what a campaign came to, and forget the oldest where there are too many."""
        self._write(self.folder / NIGHTS / f"{name}.json", json.dumps(values) + "\n")
        for path in self._files(NIGHTS, ".json")[:-NIGHTS_MAX]:
            self._unlink(path)

    def retire(self, stored: Stored) -> None:
        """Keep a failing trace that agrees now among those that are played first, as any other."""
        header, _, rest = stored.content.partition("\n")
        values = {**json.loads(header), "signature": ""}
        self._keep(BEHAVIOUR, f"{json.dumps(values)}\n{rest}")
        self._unlink(stored.path)

    def set_aside(self, path: Path, why: str) -> None:
        """Move a file out of the way of later campaigns, and remember why."""
        self.aside[path.name] = why
        if self.is_frozen:
            return
        with suppress(OSError):
            (self.folder / ASIDE).mkdir(parents=True, exist_ok=True)
            path.replace(self.folder / ASIDE / path.name)

    def shrink(self) -> None:
        """Drop the least useful traces, until there are at most as many as may be kept.

        Of behaviour those that alone have reached fewest states, the longest first; of failures the
        longest.
        """
        failures = self.failures()
        for stored in failures[self.most :]:
            self._drop(stored)
        behaviour = self.behaviour()
        for stored in list(useless_first(behaviour))[: max(0, len(behaviour) - self.most)]:
            self._drop(stored)

    def _drop(self, stored: Stored) -> None:
        self.dropped += 1
        self._unlink(stored.path)

    def _unlink(self, path: Path) -> None:
        with suppress(OSError):
            if not self.is_frozen:
                path.unlink()

    def _keep(self, kind: str, lines: str) -> Path | None:
        path = self._path(kind, lines)
        if path.exists() or not self._write(path, lines):
            return None
        self.added += 1
        return path

    def _path(self, kind: str, lines: str) -> Path:
        return self.folder / kind / f"{content_name(lines)}.jsonl"

    def _write(self, path: Path, text: str) -> bool:
        """Write a file; return whether it is there, and keep why where it is not."""
        if self.is_frozen:
            return False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, text.encode("ascii"))
        except OSError as error:
            self.trouble = f"the corpus {self.folder} cannot be written: {error.strerror}"
            return False
        return True

    def _stored(self, kind: str) -> list[Stored]:
        read = (self._read(path) for path in self._files(kind, ".jsonl"))
        return sorted(filter(None, read), key=lambda each: (len(each.content), each.path.name))

    def _read(self, path: Path) -> Stored | None:
        try:
            if path.stat().st_size > BYTES_MAX:
                raise BadTrace(f"it is longer than {BYTES_MAX:,} bytes")
            content = path.read_bytes().decode("ascii")
            header = json_object(f"{path.name}:1", content.partition("\n")[0].encode("ascii"))
        except FileNotFoundError:  # another campaign has dropped it
            return None
        except (OSError, UnicodeDecodeError, BadTrace) as error:
            self.set_aside(path, quoted(str(error)))
            return None
        number = header.get("threadline")
        if type(number) is int and number > FORMAT:
            self.newer.append(path.name)
            return None
        return Stored(path, content, header)

    def _files(self, kind: str, suffix: str) -> list[Path]:
        """Return the files of a kind, by name; links lead elsewhere, and are left alone."""
        with suppress(OSError):
            listed = sorted((self.folder / kind).iterdir())
            return [p for p in listed if p.suffix == suffix and p.is_file() and not p.is_symlink()]
        return []


def content_name(lines: str) -> str:
    """Return the name of a trace: what is played decides, and not when or how it was found."""
    header, _, rest = lines.partition("\n")
    values = json.loads(header)
    played = json.dumps({name: values.get(name) for name in PLAYED}, sort_keys=True)
    return hashlib.sha256(f"{played}\n{rest}".encode("ascii")).hexdigest()[:20]


def useless_first(traces: Sequence[Stored]) -> Iterator[Stored]:
    """Yield traces in the order in which they can be spared."""
    reached = Counter(state for trace in traces for state in trace.states)

    def worth(trace: Stored) -> tuple[int, int]:
        return sum(reached[state] == 1 for state in trace.states), -len(trace.content)

    yield from sorted(traces, key=worth)


def seen_in(nights: Iterable[Mapping[str, Any]], signature: str) -> str:
    """Return when a failure came first in the campaigns that are kept; "" where it never did."""
    for night in nights:
        if signature in night.get("signatures", ()):
            return printable(str(night["began"]))
    return ""
