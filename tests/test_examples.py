"""Where Hypothesis keeps what has failed: a folder, or a Redis that machines share."""

from __future__ import annotations

import socket
import sys
from itertools import islice
from pathlib import Path

import pytest
from threadline.defaults import BadDefaults, read_defaults
from threadline.loading import BadName, load_target
from threadline.lockstep.run import Runs
from threadline.search.machine import KEY_PREFIX, Chunks, examples_at
from threadline.trace import Header, Recorder

from tests.project import run
from tests.toys.racing import AtOnce

REDIS = ("127.0.0.1", 6379)
NUMBER = 15  # of a database of Redis that nothing else here uses
DRIVER = "tests.toys.racing:Forgetting"


def redis_runs() -> bool:
    try:
        socket.create_connection(REDIS, timeout=1).close()
    except OSError:
        return False
    return True


def first_runs(place: str) -> int:
    """Return after how many runs of this seed the bug is met."""
    target = load_target(DRIVER)
    header = Header(target.model.name, DRIVER, seed=4, steps_max=20)
    chunks = Chunks(AtOnce, Runs(target, Recorder(None)), header, **examples_at(place))
    batch = next(batch for batch in islice(chunks.batches(1, 500), 9) if batch.failure)
    return batch.runs


def test_what_failed_is_kept_in_a_folder_and_played_first(tmp_path: Path) -> None:
    """Met again in the first run, which another folder cannot know."""
    first = first_runs(str(tmp_path / "examples"))
    assert list((tmp_path / "examples").rglob("*"))
    assert first_runs(str(tmp_path / "examples")) == 1
    assert first_runs(str(tmp_path / "others")) == first > 1


@pytest.mark.skipif(not redis_runs(), reason="no Redis runs on 127.0.0.1:6379")
def test_what_failed_is_kept_on_redis_and_played_first() -> None:
    """Under keys of its own, whatever else is there."""
    from redis import Redis

    place = f"redis://{REDIS[0]}:{REDIS[1]}/{NUMBER}"
    with Redis.from_url(place) as server:
        for key in server.scan_iter(KEY_PREFIX + b"*"):
            server.delete(key)
        first = first_runs(place)
        kept = list(server.scan_iter(KEY_PREFIX + b"*"))
        again = first_runs(place)
        for key in server.scan_iter(KEY_PREFIX + b"*"):
            server.delete(key)
    assert kept
    assert again == 1 < first


@pytest.mark.parametrize("place", ["http://127.0.0.1", "redis://[", "ftp://x/y"])
def test_no_address_is_told(place: str) -> None:
    with pytest.raises(BadName, match="examples are kept at"):
        examples_at(place)


def test_redis_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    monkeypatch.delitem(sys.modules, "hypothesis.extra.redis", raising=False)
    with pytest.raises(BadName, match="install redis"):
        examples_at("redis://127.0.0.1")


@pytest.mark.slow
def test_a_project_says_where_examples_are_kept(project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.threadline]\nexamples = "kept"\n', "ascii")
    words = ["fuzz", DRIVER, "tests.toys.racing:AtOnce", "--engine", "hypothesis", "--seed", "0"]
    assert run(*words).exit_code == 1
    assert list((project / "kept").rglob("*"))


def test_a_place_that_is_no_text_is_told(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.threadline]\nexamples = 3\n", "ascii")
    with pytest.raises(BadDefaults, match="write a folder, or redis://HOST:PORT/NUMBER"):
        read_defaults(project)
