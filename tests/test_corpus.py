"""Tests of the corpus: what campaigns keep for the next, in a folder that machines share."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from threadline.campaign.corpus import BYTES_MAX, NIGHTS_MAX, Corpus, content_name, seen_in
from threadline.search.behaviour import packed

STORE = ("mine:Store", "mine:Driver")


def lines(*steps: str, signature: str = "", seed: int = 0, **more: object) -> str:
    """Return a trace of these operations."""
    header = {
        "threadline": 1,
        "contract": "store",
        "driver": "mine:Driver",
        "scenario": "mine:Store",
        "settings": {},
        "signature": signature,
        "seed": seed,
        **more,
    }
    rest = [json.dumps({"step": n, "operation": step}) for n, step in enumerate(steps, 1)]
    return "\n".join([json.dumps(header), *rest, ""])


def test_a_failure_is_kept_once(tmp_path: Path) -> None:
    """Another seed finds the same failure, which is the same file; another signature is another."""
    corpus = Corpus(tmp_path / "corpus")
    corpus.keep_failure(lines("open", "pop", signature="keys-pop", seed=1))
    corpus.keep_failure(lines("open", "pop", signature="keys-pop", seed=2))
    corpus.keep_failure(lines("open", "pop", signature="memory-pop"))

    kept = corpus.failures()

    assert [each.signature for each in kept] == ["keys-pop", "memory-pop"]
    assert corpus.added == 2
    assert all(each.is_of(*STORE) for each in kept)
    assert not any(each.is_of("mine:Other", "mine:Driver") for each in kept)


def test_short_traces_come_first(tmp_path: Path) -> None:
    """What is played first is what takes least."""
    corpus = Corpus(tmp_path)
    corpus.keep_behaviour(lines("open", "append", "append"), packed([3]))
    corpus.keep_behaviour(lines("open"), packed([1]))

    assert [each.content.count("\n") for each in corpus.behaviour()] == [2, 4]
    assert [each.states for each in corpus.behaviour()] == [{1}, {3}]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no trace|JSON|cannot"),
        (b"\xff\xfe", "ascii"),
        (b"[1, 2]\n", "object|header|JSON"),
        (b'{"threadline": 1' + b" " * BYTES_MAX + b"}\n", "longer than"),
        (b"[" * 100_000, "."),
    ],
    ids=["empty", "binary", "list", "long", "deep"],
)
def test_what_cannot_be_read_is_set_aside(tmp_path: Path, content: bytes, why: str) -> None:
    """It is moved out of the way, told with a reason, and not met again."""
    corpus = Corpus(tmp_path)
    corpus.keep_failure(lines("open", signature="keys-open"))
    (tmp_path / "failures" / "odd.jsonl").write_bytes(content)

    assert len(corpus.failures()) == 1
    assert list(corpus.aside) == ["odd.jsonl"]
    assert (tmp_path / "aside" / "odd.jsonl").exists()
    again = Corpus(tmp_path)
    assert len(again.failures()) == 1
    assert again.aside == {}


def test_newer_traces_stay_where_they_are(tmp_path: Path) -> None:
    """A machine with an older version leaves what it cannot read to the others."""
    corpus = Corpus(tmp_path)
    corpus.keep_failure(lines("open", threadline=99, signature="keys-open"))

    assert corpus.failures() == []
    assert len(corpus.newer) == 1
    assert len(list((tmp_path / "failures").iterdir())) == 1


def test_links_are_left_alone(tmp_path: Path) -> None:
    """A link may lead anywhere, and is neither read nor moved."""
    corpus = Corpus(tmp_path)
    corpus.keep_failure(lines("open", signature="keys-open"))
    secret = tmp_path / "secret"
    secret.write_text("not yours")
    (tmp_path / "failures" / "link.jsonl").symlink_to(secret)

    assert len(corpus.failures()) == 1
    assert corpus.aside == {}
    assert (tmp_path / "failures" / "link.jsonl").is_symlink()


def test_the_least_useful_are_dropped(tmp_path: Path) -> None:
    """One that alone reaches a state stays; of the others the longest goes first."""
    corpus = Corpus(tmp_path, most=2)
    corpus.keep_behaviour(lines("open", "a", "b", "c"), packed([7]))
    corpus.keep_behaviour(lines("open"), packed([1]))
    corpus.keep_behaviour(lines("open", "d"), packed([1]))

    corpus.shrink()

    assert corpus.dropped == 1
    assert sorted(each.content.count("\n") for each in corpus.behaviour()) == [2, 5]


def test_of_failures_the_shortest_stay(tmp_path: Path) -> None:
    """Where there are more failures than may be kept, the long ones go."""
    corpus = Corpus(tmp_path, most=1)
    corpus.keep_failure(lines("open", "pop", signature="keys-pop"))
    corpus.keep_failure(lines("open", signature="keys-open"))

    corpus.shrink()

    assert [each.signature for each in corpus.failures()] == ["keys-open"]


def test_a_mended_failure_is_played_on_as_behaviour(tmp_path: Path) -> None:
    """It is no failure any more, and may come back."""
    corpus = Corpus(tmp_path)
    corpus.keep_failure(lines("open", "pop", signature="keys-pop"))

    corpus.retire(corpus.failures()[0])

    assert corpus.failures() == []
    assert [each.signature for each in corpus.behaviour()] == [""]


def test_where_nothing_can_be_written_it_says_so(tmp_path: Path) -> None:
    """The campaign goes on, and the trouble is told."""
    (tmp_path / "file").write_text("no folder")
    corpus = Corpus(tmp_path / "file" / "corpus")

    corpus.keep_failure(lines("open", signature="keys-open"))

    assert "cannot be written: Not a directory" in corpus.trouble
    assert corpus.failures() == []
    assert corpus.added == 0


def test_nights_are_remembered_in_order(tmp_path: Path) -> None:
    """The oldest comes first; a damaged one is left out, and too many are forgotten."""
    corpus = Corpus(tmp_path)
    for day in range(70):
        began = f"2026-{1 + day // 28:02}-{1 + day % 28:02}T02:00:00Z"
        corpus.keep_night(f"{day:03}", {"name": f"{day}", "began": began, "signatures": ["a-b"]})
    (tmp_path / "nights" / "bad.json").write_text("{")

    nights = corpus.nights()

    assert len(nights) == NIGHTS_MAX
    assert nights[-1]["name"] == "69"
    assert nights[0]["began"] < nights[-1]["began"]
    assert seen_in(nights, "a-b") == nights[0]["began"]
    assert seen_in(nights, "c-d") == ""


def test_names_come_from_what_is_played() -> None:
    """Neither the order of a header's fields nor how the trace was found matters."""
    header = json.loads(lines("open").partition("\n")[0])
    turned = json.dumps(dict(reversed(header.items())))

    assert content_name(lines("open")) == content_name(lines("open", seed=9, run=3))
    assert content_name(lines("open")) == content_name(
        turned + lines("open")[len(json.dumps(header)) :]
    )
    assert content_name(lines("open")) != content_name(lines("close"))
    assert os.sep not in content_name(lines("open"))
