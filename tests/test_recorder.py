"""Tests of the recorder: the trace of a run is on disk while it goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from threadline.operation import Operation
from threadline.trace import Recorder

from tests.toys.desk import Desk

FULL = Path("/dev/full")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "running.jsonl"


@pytest.fixture
def recorder(path: Path) -> Iterator[Recorder]:
    recorder = Recorder(path)
    yield recorder
    recorder.close()


def test_writes_a_step_at_once(recorder: Recorder, path: Path) -> None:
    """When record comes back, the line can be read by others."""
    recorder.begin(b"header\n")
    recorder.record(3, Desk.enter("ana"))

    assert path.read_bytes() == b'header\n{"step": 3, "operation": "enter", "user": "ana"}\n'


def test_starts_over_with_each_run(recorder: Recorder, path: Path) -> None:
    """A new run takes the place of the one before."""
    recorder.begin(b"first\n")
    recorder.record(1, Desk.ring())
    recorder.begin(b"second\n")

    assert path.read_bytes() == b"second\n"


def test_starts_over_on_an_old_file(path: Path) -> None:
    """What a worker before has left is gone."""
    path.write_bytes(b"left by a worker before, and longer than what follows\n")
    recorder = Recorder(path)
    recorder.begin(b"header\n")
    recorder.close()

    assert path.read_bytes() == b"header\n"


def test_has_no_error_where_all_is_written(recorder: Recorder) -> None:
    """A recorder that could write everything has nothing to say."""
    recorder.begin(b"header\n")
    recorder.record(1, Desk.ring())

    assert recorder.error == ""


def play_on(recorder: Recorder, operation: Operation) -> str:
    """Record a run, as an engine would, and return why there is no trace of it."""
    recorder.begin(b"header\n")
    recorder.record(1, operation)
    recorder.record(2, operation)
    recorder.begin(b"header\n")
    recorder.close()
    return recorder.error


def test_goes_on_without_a_folder() -> None:
    """Without a path, nothing is recorded, and the reason is kept."""
    assert play_on(Recorder(None), Desk.ring()) == "no folder was given"


def test_goes_on_where_the_folder_is_missing(tmp_path: Path) -> None:
    """A path that cannot be opened is the reason why there is no file."""
    error = play_on(Recorder(tmp_path / "missing" / "run.jsonl"), Desk.ring())

    assert error.startswith("[Errno 2] No such file or directory")


def test_goes_on_where_a_folder_is_in_the_way(tmp_path: Path) -> None:
    """A path that is a folder is the reason why there is no file."""
    assert play_on(Recorder(tmp_path), Desk.ring()).startswith("[Errno 21] Is a directory")


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_goes_on_where_the_disk_is_full() -> None:
    """A disk that fills up between two steps is the reason why the trace ends there."""
    recorder = Recorder(FULL)
    recorder.record(1, Desk.ring())
    recorder.record(2, Desk.ring())
    recorder.close()

    assert recorder.error == "[Errno 28] No space left on device"


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_goes_on_where_no_run_can_begin() -> None:
    """A file that cannot be started over is told of, and the campaign goes on."""
    assert play_on(Recorder(FULL), Desk.ring()) != ""


def test_closes_twice(recorder: Recorder) -> None:
    """Closing again does nothing."""
    recorder.close()

    recorder.close()

    assert recorder.error == ""
