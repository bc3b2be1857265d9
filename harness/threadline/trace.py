"""A trace: a header and one JSON line an operation, on disk before the operation runs."""

from __future__ import annotations

import errno
import json
import os
import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from .descriptor import LOST, RECORDER, out_of_the_way
from .json_lines import BadTrace as BadTrace
from .json_lines import is_json, json_object, lines_of
from .operation import TIMING, Operation, from_json, to_json
from .printable import printable, quoted
from .timing import timing_from_json
from .whole_file import write_whole

FORMAT = 1
STEP_MAX = 10**9  # of a step's number; our choice
HEADER_KINDS = {
    **dict.fromkeys(("seed", "run", "steps_max"), (int, "a whole number")),
    **dict.fromkeys(("policy", "settings", "versions"), (dict, "a JSON object")),
    **dict.fromkeys(("round_trip", "overlap", "adversarial"), (bool, "true or false")),
    **dict.fromkeys(("tolerates", "identities"), (list, "a list of texts")),
}
"""What else than text a header has, and what to write there."""

TOUCH_S = 0.2  # between two signs of life that are not steps

Numbered = tuple[int, Operation]


class Mode(NamedTuple):
    """How the operations of a run go on beside each other, if they `overlap`.

    Where it is `adversarial`, tasks that are ready may go on later than asyncio lets them.
    `steps_max` is how long the run may be.
    """

    overlap: bool = False
    adversarial: bool = False
    steps_max: int = 0


AS_EVER = Mode()  # one operation after the other


@dataclass(frozen=True, slots=True)
class Header:
    """Everything that a replay and its reader need to know beside the operations.

    Replay needs only `driver`, `settings`, `round_trip`, which says that the run ended with a look
    for leaks, `identities`, the names that it repeats the run without, `tolerates`, the known
    signatures behind which the run went on, `overlap`, which says that operations run beside each
    other, as their timings say, and `adversarial`, which says that tasks are reordered, too; the
    rest tells how the trace was found.
    """

    contract: str
    driver: str
    scenario: str = ""
    policy: Mapping[str, object] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    engine: str = ""
    tactic: str = ""
    seed: int = 0
    run: int = 0
    steps_max: int = 0
    signature: str = ""
    round_trip: bool = False
    tolerates: Sequence[str] = ()
    overlap: bool = False
    adversarial: bool = False
    identities: Sequence[str] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def mode(self) -> Mode:
        return Mode(self.overlap, self.adversarial, self.steps_max)

    def line(self) -> bytes:
        """Return the header as the first line of a trace."""
        values = {name: getattr(self, name) for name in self.__slots__}
        values["settings"] = {name: to_json(value) for name, value in self.settings.items()}
        for name in ("tolerates", "overlap", "adversarial", "identities"):
            if not values[name] or (name == "identities" and not self.round_trip):
                del values[name]  # as in traces of before there was any
        return json.dumps({"threadline": FORMAT, **values}).encode("ascii") + b"\n"


@dataclass(frozen=True, slots=True)
class Trace:
    """The operations of one run, under the numbers of their steps.

    `is_cut` says that the file it was read from ends in the middle of a line, which is left out.
    """

    header: Header
    operations: tuple[Numbered, ...]
    is_cut: bool = field(default=False, compare=False)

    def encoded(self) -> bytes:
        """Return the whole trace as it stands on disk."""
        return self.header.line() + b"".join(numbered_line(*item) for item in self.operations)


def numbered_line(number: int, operation: Operation) -> bytes:
    """Return one step as its line in a trace."""
    return b'{"step": %d, %b' % (number, operation.line())


class Recorder:
    """Keeps the trace of the run that is going on in one file.

    Each line is handed to the operating system before its step runs: it survives a killed process,
    not the loss of power. One descriptor serves run after run. Where nothing can be written (no
    folder, a full disk), the campaign goes on, `error` says why there is no file, and `tell` gets
    each line instead.

    With `tell`, it is a worker's. If the system has closed the descriptor, the process ends with
    LOST, and the file keeps the trace up to the step that did it. In a fork that the system has
    made it ends in any case, as the fork would play the run a second time.
    """

    def __init__(self, path: Path | None, tell: Callable[[bytes], object] | None = None) -> None:
        self.error = "" if path else "no folder was given"
        self._path = path
        self._descriptor = -1
        self._lines: list[bytes] = []  # of this run
        self._touched_s = 0.0
        self._owner = os.getpid()
        self._tell = tell
        self._is_a_workers = tell is not None
        if path is not None:
            self._try(self._open)

    def own(self) -> None:
        """Make this process the one that plays: a fork that the harness has made."""
        self._owner = os.getpid()
        self._tell = None

    def begin(self, header: bytes) -> None:
        """Forget the run before, and begin the next with this first line."""
        self._check_owner()
        if self._is_a_workers and not self.error and _is_closed(self._descriptor):
            self._leave()
        self._lines = [header]
        if not self.error:
            self._try(self._rewrite)
        elif self._tell is not None:
            self._tell(header)

    def record(self, number: int, operation: Operation) -> None:
        """Write one line; the step may run when this has returned."""
        self._check_owner()
        if self.error and self._tell is None:
            return
        line = b'{"step": %d, %b' % (number, operation.line())
        self._lines.append(line)
        self._write(line)

    def mark(self, phase: bytes) -> None:
        """Write what the run does after its last step, as a line that has no end yet.

        A reader takes such a line for no step, and the next run removes it.
        """
        if not self.error or self._tell is not None:
            self._lines.append(phase)
            self._write(phase)

    def touch(self) -> None:
        """Show whoever watches the file that the run goes on, without recording a step."""
        if time.monotonic() - self._touched_s < TOUCH_S:
            return
        self._touched_s = time.monotonic()
        if not self.error:
            self._try(lambda: os.utime(self._descriptor))
        elif self._tell is not None:
            self._tell(b"")

    def close(self) -> None:
        if self._descriptor >= 0:
            with suppress(OSError):  # closed by the system
                os.close(self._descriptor)
            self._descriptor = -1

    def _check_owner(self) -> None:
        if self._owner != os.getpid() and self._path is not None:
            os._exit(0)

    def _write(self, line: bytes) -> None:
        if self.error:
            if self._tell is not None:
                self._tell(line)
            return
        try:
            if os.write(self._descriptor, line) != len(line):
                self._lose(_full())
        except OSError as error:
            if error.errno == errno.EBADF:  # the system has closed it
                if self._is_a_workers:
                    self._lines.pop()
                    self._leave()
                self._try(self._rewrite)
            else:
                self._lose(error)

    def _leave(self) -> NoReturn:
        """End the process, its trace left as it was before the descriptor was closed."""
        with suppress(OSError):
            self._rewrite()
        os._exit(LOST)

    def _open(self) -> None:
        assert self._path is not None
        # Appending, so that a file cut to nothing is written from its start.
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        self._descriptor = out_of_the_way(os.open(self._path, flags, 0o644), RECORDER)

    def _rewrite(self) -> None:
        """Write the run so far, into a file opened anew where the system has closed ours."""
        try:
            os.ftruncate(self._descriptor, 0)
        except OSError as error:
            if error.errno != errno.EBADF:
                raise
            self._open()
        whole = b"".join(self._lines)
        if os.write(self._descriptor, whole) != len(whole):
            raise _full()

    def _try(self, effect: Callable[[], object]) -> None:
        try:
            effect()
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        self.error = str(error)
        if self._tell is not None:
            for line in self._lines:
                self._tell(line)


def _is_closed(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return True
    return False


def _full() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def save(path: Path | None, trace: Trace) -> str:
    """Write a trace in one piece, and return where; "" where nothing could be written."""
    if path is None:
        return ""
    try:
        write_whole(path, trace.encoded())
    except OSError:
        return ""
    return str(path)


def read_header(path: Path) -> Header:
    """Return the header of the trace at path.

    Raises BadTrace for what cannot be read, is no trace, or is one of a newer version.
    """
    return _parse_header(printable(str(path)), lines_of(path)[0])


def read(path: Path, kinds: Mapping[str, type[Operation]]) -> Trace:
    """Return the trace at path, its operations made from these kinds.

    A last line that is cut short (its process was killed while writing) is left out. Raises
    BadTrace, naming the line, for anything else that is not as it should be.
    """
    name = printable(str(path))
    trace, tail = parse(name, lines_of(path), kinds)
    return Trace(trace.header, trace.operations, is_cut=bool(tail))


def parse(
    name: str, lines: Sequence[bytes], kinds: Mapping[str, type[Operation]]
) -> tuple[Trace, str]:
    """Return the trace that has these lines, and what stands after its last whole one."""
    first, *rest = lines
    header = _parse_header(name, first)
    tail = b""
    if rest and not is_json(rest[-1]):
        tail = rest.pop()  # empty after the end of the last line, or cut short
    operations: list[Numbered] = []
    for number, line in enumerate(rest, 2):
        step = _parse_line(f"{name}:{number}", line, kinds)
        if operations and step[0] <= operations[-1][0]:
            raise BadTrace(
                f"{name}:{number}: step {step[0]} comes after step {operations[-1][0]}; "
                "number the steps upwards"
            )
        operations.append(step)
    return Trace(header, tuple(operations)), tail.decode("ascii", "replace")


def is_signature_of(text: str, failure: object) -> bool:
    """Return whether a header's signature is that of a failure, or its form in an older version.

    Older versions had no third part: `memory-wait` stands for `memory-wait.timers`.
    """
    now = str(failure)
    return now == text or now.startswith(f"{text}.")


def plain(policy: object) -> dict[str, object]:
    """Return a policy as its header shows it: the fields of a dataclass, by name."""
    names = getattr(type(policy), "__dataclass_fields__", {})
    return {name: to_json(getattr(policy, name)) for name in names}


def versions(names: Iterable[str] = ("threadline", "hypothesis")) -> dict[str, str]:
    """Return the versions of Python and of the packages named, where installed."""
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _parse_header(name: str, line: bytes) -> Header:
    values = json_object(f"{name}:1", line)
    number = values.pop("threadline", None)
    if number is None:
        raise BadTrace(f"{name}:1: no trace header; a trace begins with a line made by threadline")
    if type(number) is not int or not 1 <= number <= FORMAT:
        raise BadTrace(
            f"{name}:1: a trace of format {quoted(number)}, and this version reads up to {FORMAT}; "
            "replay it with the version of threadline that wrote it, or a newer one"
        )
    missing = {"contract", "driver"} - values.keys()
    if missing:
        raise BadTrace(f"{name}:1: the header has no {min(missing)!r}; add it")
    known = {key: values[key] for key in Header.__slots__ if key in values}
    for key, value in known.items():
        kind, advice = HEADER_KINDS.get(key, (str, "text"))
        if type(value) is not kind:
            raise BadTrace(f"{name}:1: the header has {_quoted(value)} for {key!r}; write {advice}")
    if not all(isinstance(signature, str) for signature in known.get("tolerates", [])):
        raise BadTrace(f"{name}:1: the header tolerates what is no text; write signatures")
    if not all(isinstance(each, str) for each in known.get("identities", [])):
        raise BadTrace(f"{name}:1: the header has an identity that is no text; write names")
    known["settings"] = _settings(f"{name}:1", known.get("settings", {}))
    for package, number in known.get("versions", {}).items():
        if not isinstance(number, str):
            raise BadTrace(
                f"{name}:1: the header has {_quoted(number)} for the version of {quoted(package)}; "
                "write text"
            )
    return Header(**known)


def _settings(where: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings, which are handed to a constructor by their names."""
    for name in values:
        if not name.isidentifier() or name.startswith("__"):
            raise BadTrace(f"{where}: no setting can be called {_quoted(name)}; remove it")
    return _arguments(where, values)


def _parse_line(where: str, line: bytes, kinds: Mapping[str, type[Operation]]) -> Numbered:
    values = json_object(where, line)
    number = values.pop("step", None)
    if type(number) is not int or not 1 <= number <= STEP_MAX:
        raise BadTrace(
            f'{where}: the step is {_quoted(number)}; write a whole number from 1, as in "step": 3'
        )
    kind = values.pop("operation", None)
    if not isinstance(kind, str) or kind not in kinds:
        raise BadTrace(
            f"{where}: no operation is called {_quoted(kind)}; there are {', '.join(sorted(kinds))}"
        )
    names = kinds[kind].names
    said = values.pop(TIMING, None)
    if set(values) != set(names):
        raise BadTrace(
            f"{where}: {kind} has the arguments {quoted(', '.join(values) or 'none')}, "
            f"and takes {', '.join(names) or 'none'}"
        )
    operation = kinds[kind](**_arguments(where, values))
    if said is None:
        return number, operation
    try:
        return number, operation.timed(timing_from_json(said))
    except ValueError as error:
        raise BadTrace(f"{where}: the timing cannot be read: {error}") from None


def _arguments(where: str, values: Mapping[str, Any]) -> dict[str, Any]:
    arguments = {}
    for name, value in values.items():
        try:
            arguments[name] = from_json(value)
        except ValueError as error:
            raise BadTrace(
                f"{where}: the argument {name} cannot be read: {quoted(str(error))}"
            ) from None
    return arguments


def _quoted(value: object) -> str:
    return quoted(repr(value))
