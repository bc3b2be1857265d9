"""Lines of JSON from a file of unknown origin: bounded, strict, with the line in each error."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any

from .printable import printable, quoted

FILE_BYTES_MAX = 64 * 1024 * 1024  # a step takes about 100 bytes; our choice
LINE_BYTES_MAX = 16 * 1024 * 1024  # one text of so much, but no million lists; our choice
DEPTH_MAX = 40  # lists within lists: far more than arguments have, and no recursion ends at it
BOM = b"\xef\xbb\xbf"  # what some editors put before a text


class BadTrace(ValueError):
    """A file is no trace that this version can read; says the line, and what to write instead."""


def lines_of(path: Path) -> list[bytes]:
    """Return the lines of a file without their ends; the last is empty in a file that is whole.

    Raises BadTrace for what is no plain file, cannot be read, or has over FILE_BYTES_MAX bytes.
    Never waits, as reading a pipe would.
    """
    try:
        status = path.stat()  # first, as opening a device can do something
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is no file")
        content = _content(path) if status.st_size <= FILE_BYTES_MAX else None
    except (OSError, ValueError) as error:  # ValueError: a name with NUL in it
        why = error.strerror if isinstance(error, OSError) else error
        raise BadTrace(f"{printable(str(path))} cannot be read: {why}") from None
    if content is None or len(content) > FILE_BYTES_MAX:
        raise BadTrace(
            f"{printable(str(path))} has over {FILE_BYTES_MAX // 1024**2} MiB, and so is no trace"
        )
    return content.removeprefix(BOM).split(b"\n")


def _content(path: Path) -> bytes:
    """Return the content, and one byte more than is allowed at most."""
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        return file.read(FILE_BYTES_MAX + 1)


def json_object(where: str, line: bytes) -> dict[str, Any]:
    """Return the JSON object on one line; `where` is its place, for BadTrace."""
    if len(line) > LINE_BYTES_MAX:
        raise BadTrace(f"{where}: has over {LINE_BYTES_MAX // 1024**2} MiB, and so is no step")
    try:
        values = json.loads(line.decode("utf-8"), object_pairs_hook=_with_each_name_once)
        is_deep = _depth(values) > DEPTH_MAX
    except RecursionError:
        is_deep = True
    except ValueError as error:
        raise BadTrace(
            f"{where}: not JSON ({quoted(str(error))}); a trace is one JSON object a line"
        ) from None
    if is_deep:
        raise BadTrace(f"{where}: over {DEPTH_MAX} lists within each other; write fewer")
    if not isinstance(values, dict):
        raise BadTrace(
            f"{where}: {quoted(values)} is no JSON object; a trace is one JSON object a line"
        )
    return values


def is_json(line: bytes) -> bool:
    """Return whether a line is whole JSON, or too long to tell; one that was cut short is not."""
    if len(line) > LINE_BYTES_MAX:
        return True
    try:
        json.loads(line.decode("utf-8"))
    except RecursionError:
        return True
    except ValueError:
        return False
    return True


def _with_each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; raises ValueError where a name is there twice, which means two things."""
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            raise ValueError(f"{name!r} is there twice")
        values[name] = value
    return values


def _depth(value: object) -> int:
    """Return how many lists and objects are within each other, up to just over DEPTH_MAX."""
    level, depth = [value], 0
    while level and depth <= DEPTH_MAX:
        inner: list[object] = []
        for each in level:
            if isinstance(each, (list, dict)):
                inner += each.values() if isinstance(each, dict) else each
        depth += any(isinstance(each, (list, dict)) for each in level)
        level = inner
    return depth
