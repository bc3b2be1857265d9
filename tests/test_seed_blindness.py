"""What the seeds' own tests miss, and that the harness misses none of it."""

from __future__ import annotations

import re

import pytest
from threadline.campaign.change import applied

from tests.project import ROOT
from tests.seed_blindness import (
    MISSED,
    claims,
    first_to_see,
    mutants,
    read_table,
    sees,
    summary,
    table,
)

# Written by `python -m tests.seed_blindness`, and held to below.
TABLE = (ROOT / "tests/golden/seed-blindness.txt").read_text("utf-8").rstrip("\n")
SEEN_BY = read_table(TABLE)
NAMES = {mutant.name: name for name, mutant in mutants().items()}
SEEN = [name for name in SEEN_BY if SEEN_BY[name] != MISSED]


def test_the_table_has_every_mutant() -> None:
    """
    Each mutant of the session manager and of the service has its row, under a name of its own.
    """
    assert list(SEEN_BY) == [mutant.name for mutant in mutants().values()]


@pytest.mark.parametrize("name", SEEN)
def test_the_seeds_test_in_the_table_sees_the_mutant(name: str) -> None:
    """
    The test that the table names fails on the mutant, in one of its variants.
    """
    with applied(mutants()[NAMES[name]].changes):
        assert any(sees(claim) for claim in claims() if claim.name == SEEN_BY[name])


@pytest.mark.slow
def test_the_table_is_what_the_tests_see() -> None:
    """
    All of the seeds' tests on all mutants come to the table, missed ones and all.
    """
    found = {mutant.name: first_to_see(mutant) for mutant in mutants().values()}
    print(table(found))

    assert table(found) == TABLE


@pytest.mark.parametrize("name", SEEN_BY)
def test_the_harness_kills_the_mutant(name: str) -> None:
    """
    Seen or missed by the seeds' tests, it has its row in docs/kill-table.md, each of which
    test_mutants.py holds to what a hunt finds within 200 runs.
    """
    rows = (ROOT / "docs/kill-table.md").read_text("utf-8").splitlines()

    assert any(re.match(rf"{name} +(\w+)-", row) for row in rows)


def test_the_page_counts_both() -> None:
    """
    docs/seeds.md tells how many of the mutants the seeds' tests see, and how many the harness.
    """
    assert summary(SEEN_BY) in (ROOT / "docs/seeds.md").read_text("utf-8")
