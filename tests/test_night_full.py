"""Nights on a disk that is full, or where nothing may be written: what was told is not lost."""

from __future__ import annotations

import json
import re
import resource
import signal
from functools import partial
from pathlib import Path

import pytest
from threadline.campaign.corpus import Corpus
from threadline.contracts.conversation_store import ConversationStore
from threadline.trace import parse, read

from tests.project import night_until_told

MUTANT = "tests.mutants.store:JoinsKeys"
# Bytes, above which a file cannot grow: as a disk that fills up at one moment or another.
SIZES = (0, 50, 200, 500, 1_000, 2_000, 5_000, 20_000, 100_000, 400_000)


def limit(size: int) -> None:
    """Limit the size of the files of this process and its children, as a full disk does (EFBIG)."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def night(*words: str, size: int | None = None) -> tuple[int, str]:
    prepare = None if size is None else partial(limit, size)
    return night_until_told("--seed", "0", "--driver", MUTANT, *words, prepare=prepare)


def check_nothing_is_lost(text: str) -> None:
    """Check that each failure that was told is there as a whole trace: in a file or the text."""
    told = re.findall(r"^(?:continuity|isolation|keys|memory|liveness): ", text, re.MULTILINE)
    kinds = ConversationStore.kinds()
    files = [read(Path(path), kinds) for path in re.findall(r"trace: +(\S+)", text)]
    lines = text.splitlines()
    begins = [place for place, line in enumerate(lines) if line.startswith('{"threadline"')]
    for place in begins:
        end = next(n for n, line in enumerate(lines) if n > place and not line.startswith("{"))
        whole = [line.encode() for line in lines[place:end]]
        files.append(parse("the text", [*whole, b""], kinds)[0])
    assert told
    assert len(files) >= len(told)
    assert all(trace.operations and not trace.is_cut for trace in files)


def check_nothing_is_half(project: Path) -> None:
    """Check that each file is whole, whatever could not be written."""
    assert list(project.rglob("*.partial")) == []
    for path in project.rglob("*.json"):
        json.loads(path.read_text("utf-8"))
    for path in Path("reports/corpus").rglob("*.jsonl"):
        assert not read(path, ConversationStore.kinds()).is_cut


def on_a_full_disk(project: Path, size: int) -> None:
    status, text = night(size=size)
    assert status == 1, text
    check_nothing_is_lost(text)
    check_nothing_is_half(project)
    if size <= 1_000:
        assert "cannot be written: File too large" in text
    status, text = night()
    assert status == 1, text
    assert "cannot be written" not in text
    assert Corpus(Path("reports/corpus")).nights()


def test_a_night_on_a_full_disk(project: Path) -> None:
    on_a_full_disk(project, size=0)


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
def test_nights_on_a_disk_that_fills_up(project: Path, size: int) -> None:
    on_a_full_disk(project, size)


def test_a_night_without_a_folder_for_its_report(project: Path) -> None:
    """Where reports/ cannot be made, the report is elsewhere, and the corpus is told."""
    (project / "reports").write_text("no folder", "ascii")
    status, text = night()
    assert status == 1, text
    check_nothing_is_lost(text)
    assert "reports/runs cannot be written (Not a directory)" in text
    assert "the corpus reports/corpus cannot be written" in text


def test_a_night_without_a_folder_for_its_corpus(project: Path) -> None:
    (project / "taken").write_text("no folder", "ascii")
    status, text = night("--corpus", "taken/corpus")
    assert status == 1, text
    check_nothing_is_lost(text)
    assert "the corpus taken/corpus cannot be written: Not a directory" in text
    assert list(Path("reports/runs").glob("*/run.json"))
