"""Tests of detours: a run leaves out one ingredient of a known failure, and plays all else."""

from __future__ import annotations

from random import Random

import pytest
from threadline import Handle, Operation
from threadline.contracts.conversation_store import ConversationStore
from threadline.search.detour import Detour, Ingredient

C1, C3, C4 = Handle("c", 1), Handle("c", 3), Handle("c", 4)
open_, append, pop = ConversationStore.open, ConversationStore.append, ConversationStore.pop
TRACE = [(1, open_("ana", "t")), (2, append(C1, "m2")), (3, pop(C1))]


def detour(place: int, *, is_exact: bool = False) -> Detour:
    """Return a detour whose next run leaves out this ingredient."""
    made = Detour("continuity-pop", TRACE, steps_max=50)
    for ingredient, served in made.served.items():
        if ingredient != Ingredient(place, is_exact):
            served.runs = 10**9
    made.begin(Random(0))
    return made


def allowed(made: Detour, *operations: Operation) -> list[bool]:
    """Return of each operation whether it may come, those that may being played."""
    found = []
    for number, operation in enumerate(operations, 1):
        found.append(made.allows(operation))
        if found[-1]:
            made.played(number, operation)
    return found


@pytest.mark.parametrize(
    ("place", "may"),
    [
        (0, [False, True, True]),  # conversations are never opened
        (1, [True, False, True]),
        (2, [True, True, False]),
    ],
)
def test_leaves_out_one_operation(place: int, may: list[bool]) -> None:
    """
    The ingredient may not come once what is before it has come; everything else may.
    """
    assert allowed(detour(place), *[operation for _, operation in TRACE]) == may


def test_takes_other_names_for_the_same() -> None:
    """
    Another user's conversation, under another handle, is the same trace.
    """
    made = detour(2)

    assert allowed(made, pop(C1), pop(C1), open_("ben", "x"), append(C3, "y"), pop(C3)) == [
        *(True, True, True, True, False)
    ]


def test_lets_come_what_the_trace_does_not_lead_to() -> None:
    """
    A pop of a conversation to which nothing was appended is no part of the trace.
    """
    made = detour(2)

    assert allowed(made, *[open_("ben", "x")] * 4, append(C1, "y"), pop(C4)) == [True] * 6


def test_leaves_out_one_value_alone() -> None:
    """
    An exact ingredient lets the operation come with other values.
    """
    made = detour(1, is_exact=True)

    assert allowed(made, open_("ana", "t"), append(C1, "other"), append(C1, "m2")) == [
        *(True, True, False)
    ]


def test_knows_the_ingredients() -> None:
    """
    Each operation is one, and each with values of its own is one more.
    """
    assert set(detour(0).served) == {
        Ingredient(0, is_exact=False),
        Ingredient(0, is_exact=True),
        Ingredient(1, is_exact=False),
        Ingredient(1, is_exact=True),
        Ingredient(2, is_exact=False),
    }


def test_leaves_out_another_in_each_run() -> None:
    """
    At first all ingredients are taken alike.
    """
    made, random = Detour("continuity-pop", TRACE, steps_max=50), Random(1)
    taken = []
    for _ in range(40):
        made.begin(random)
        taken.append(made._left_out)
        made.end(50)

    assert set(taken) == set(made.served)


def test_learns_what_serves() -> None:
    """
    An ingredient without which runs end all the same is taken seldom.
    """
    made, random = Detour("continuity-pop", TRACE, steps_max=50), Random(1)
    taken = []
    for _ in range(200):
        made.begin(random)
        taken.append(made._left_out)
        made.end(0 if made._left_out.is_exact else 50)

    assert sum(ingredient.is_exact for ingredient in taken[50:]) < 15
