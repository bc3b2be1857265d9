"""The rules by which a text is judged, each at its boundary."""

from __future__ import annotations

import pytest

from sessions.quality.scoring import average, is_valid, issues_of, score_of, score_of_answer


@pytest.mark.parametrize(
    ("content", "issues"),
    [
        ("it is fine", []),
        ("it is fin", ["too_short"]),
        ("  it is fin \n", ["too_short"]),
        ("IT IS FINE", ["shouting"]),
        ("IT IS FINe", []),
        ("1234567890", []),
        ("write a Todo list", ["placeholder"]),
        ("see LOREM Ipsum there", ["placeholder"]),
        ("lorem, ipsum, dolor", []),
        ("TODO", ["too_short", "shouting", "placeholder"]),
        ("", ["too_short"]),
    ],
)
def test_names_each_issue_of_a_text(content: str, issues: list[str]) -> None:
    """Length without outer space, capitals and placeholders are seen, in this order."""
    assert issues_of(content) == issues


@pytest.mark.parametrize(("length", "issues"), [(39, ["too_short"]), (40, []), (41, [])])
def test_is_strict_about_length(length: int, issues: list[str]) -> None:
    """Strictly, 40 characters are enough and 39 are not."""
    assert issues_of("x" * length, strict=True) == issues


@pytest.mark.parametrize(
    ("content", "content_type", "issues"),
    [
        ('{"a": [1, 2]}', "json", []),
        ("not json, ever", "json", ["not_json"]),
        ("not json, ever", "markdown", []),
        ("[" * 30_000, "json", ["not_json"]),
        ("9" * 5_000, "json", ["not_json"]),
    ],
)
def test_parses_json_only_if_it_is_said_to_be(
    content: str, content_type: str, issues: list[str]
) -> None:
    """What does not parse is an issue of JSON alone, and no text breaks the parser."""
    assert issues_of(content, content_type) == issues


@pytest.mark.parametrize(
    ("issues", "score"),
    [
        ([], 100),
        (["too_short"], 70),
        (["too_short", "shouting"], 40),
        (["too_short", "shouting", "placeholder"], 10),
        (["too_short", "shouting", "placeholder", "not_json"], 0),
    ],
)
def test_takes_thirty_points_for_each_issue(issues: list[str], score: int) -> None:
    """Four issues leave 0, not less."""
    assert score_of(issues) == score


@pytest.mark.parametrize(
    ("issues", "strict", "valid"),
    [
        ([], False, True),
        (["too_short"], False, True),
        (["too_short", "shouting"], False, False),
        ([], True, True),
        (["too_short"], True, False),
    ],
)
def test_allows_one_issue_unless_it_is_strict(issues: list[str], strict: bool, valid: bool) -> None:
    """One issue will do, two will not; strictly none will."""
    assert is_valid(issues, strict=strict) is valid


def test_scores_an_answer_as_plain_text() -> None:
    """An answer of ten characters is long enough, and need not be JSON."""
    assert score_of_answer("it is fine") == 100
    assert score_of_answer("it is fin") == 70


@pytest.mark.parametrize(
    ("scores", "mean"), [([], None), ([70], 70), ([100, 70, 70], 80), ([1, 2], 1)]
)
def test_averages_downwards(scores: list[int], mean: int | None) -> None:
    """The mean is rounded down, and there is none of nothing."""
    assert average(scores) == mean
