"""The mutants that nobody planned for stand in the system, and are never fewer."""

from __future__ import annotations

from pathlib import Path

from tests.doc_pages import page
from tests.mutants.unseen import UNSEEN as FIRST
from tests.mutants.unseen_second import UNSEEN_SECOND
from tests.mutants.unseen_table import FITTING, UNSEEN, edit_of
from tests.project import ROOT


def source_of(module: str) -> str:
    return Path(ROOT, "sessions", *module.split(".")).with_suffix(".py").read_text("utf-8")


def test_each_can_be_put_in() -> None:
    """
    What each changes is there exactly once, and its part has scenarios; nine are in both lists.
    """
    edits = [edit_of(one, source_of(one.module)) for one in UNSEEN]

    assert len({(edit.function, edit.start, edit.new) for edit in edits}) == 60 + 60 - 9
    assert {one.part for one in UNSEEN} == set(FITTING)


def test_the_table_has_each_part() -> None:
    """
    The page about sight tells of as many of each part as there are, of the first and the second.
    """
    rows = page("docs/sight.md").table("part")
    made = [
        [sum(one.part == part for one in of) for of in (FIRST, UNSEEN_SECOND)] for part in FITTING
    ]

    assert [(row[0], [int(row[1]), int(row[4])]) for row in rows] == [
        *zip(FITTING, made, strict=True),
        ("all", [len(FIRST), len(UNSEEN_SECOND)]),
    ]
