"""Tests of the one-to-one renaming between handles and real ids."""

from __future__ import annotations

import pytest
from threadline.handle import Handle
from threadline.lockstep.renaming import Named, Renaming

C1, C2, T1 = Handle("c", 1), Handle("c", 2), Handle("t", 1)


def test_binds_an_id_that_it_meets_first() -> None:
    """The first id that stands where the model has a handle is that handle's."""
    renaming = Renaming()
    renaming.binds(C1, "real 1")

    assert renaming.real == {C1: "real 1"}


def test_starts_empty() -> None:
    """A new run knows no id."""
    assert Renaming().real == {}


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (C1, "real 1"),
        ([C1, C1], ["real 1", "real 1"]),
        ((C1, "text"), ["real 1", "text"]),
        ({"id": C1, "turns": [1, 2]}, {"id": "real 1", "turns": [1, 2]}),
        ({C1: "open"}, {"real 1": "open"}),
        ({(C1, "text"): 1}, {("real 1", "text"): 1}),
        ({C1}, {"real 1"}),
        (frozenset({(C1, 1)}), frozenset({("real 1", 1)})),
        ([], ()),
        (None, None),
    ],
)
def test_agrees_up_to_ids(expected: object, actual: object) -> None:
    """Two values that differ in ids alone are the same."""
    renaming = Renaming()
    renaming.binds(C1, "real 1")

    assert renaming.binds(expected, actual)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (C1, "real 2"),
        (C2, "real 1"),
        (C2, None),
        (C2, []),
        ([C1, "a"], ["real 1"]),
        ([C1], "real 1"),
        ("c_1", "real 1"),
        ({C1}, {"real 1", "real 2"}),
        ({C2}, {"real 2"}),
        ({C1: 1}, {"real 2": 1}),
        ({C1: 1}, {"real 1": 1, "real 2": 1}),
        ({C1: 1}, {"real 1": 2}),
    ],
)
def test_disagrees_on_ids(expected: object, actual: object) -> None:
    """An id that is another's, is none or is surplus is a difference."""
    renaming = Renaming()
    renaming.binds(C1, "real 1")

    assert not renaming.binds(expected, actual)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (1, True),
        (1, 1.0),
        ("1", 1),
        ([1], [True]),
        ({"n": 1}, {"n": True}),
        ({1: "n"}, {True: "n"}),
        ({("a", 1): "n"}, {("a", True): "n"}),
        ({1}, {True}),
        (frozenset({("a", 1)}), frozenset({("a", 1.0)})),
        ({1}, frozenset({1})),
        (b"a", "a"),
        ((), {}),
        (None, False),
    ],
)
def test_compares_types(expected: object, actual: object) -> None:
    """Values that Python calls equal differ where their types do, wherever they stand."""
    assert not Renaming().binds(expected, actual)


def test_compares_the_type_of_an_id() -> None:
    """An id that was 1 and comes back as True is another."""
    renaming = Renaming()
    renaming.binds(C1, 1)

    assert not renaming.binds(C1, True)


def test_lets_two_kinds_share_an_id() -> None:
    """A connection 1 and a ticket 1 are two things."""
    renaming = Renaming()
    renaming.binds(C1, 1)

    assert renaming.binds(T1, 1)


@pytest.mark.parametrize(
    ("actual", "expected", "named"),
    [
        ("real 1", None, C1),
        ("text", None, "text"),
        (["real 1", "text"], None, [C1, "text"]),
        ({"real 1": ("real 1", 2)}, None, {C1: (C1, 2)}),
        ("real 1", C2, C1),
        (None, C2, None),
        (1, None, 1),
    ],
)
def test_names_ids_for_a_reader(actual: object, expected: object, named: object) -> None:
    """A reader sees handles in place of the ids that are known, and everything else as it is."""
    renaming = Renaming()
    renaming.binds(C1, "real 1")

    assert renaming.named(actual, expected) == named


@pytest.mark.parametrize(
    ("actual", "expected", "text"),
    [
        ("real 2", C2, "<a c never returned before>"),
        (["real 2"], [C2], "[<a c never returned before>]"),
        ({"real 2"}, {C1}, "{<a c never returned before>}"),
        ({"real 2": 1}, {C1: 1}, "{<a c never returned before>: 1}"),
        ({"a": "real 2"}, {"a": C1}, "{'a': <a c never returned before>}"),
        (object(), None, "<a object never returned before>"),
    ],
)
def test_shows_no_id_that_has_no_name(actual: object, expected: object, text: str) -> None:
    """An id that no outcome returned shows as its kind, for its text differs from run to run."""
    renaming = Renaming()
    renaming.binds(C1, "real 1")

    assert repr(renaming.named(actual, expected)) == text


def test_names_a_number_where_the_model_has_a_handle() -> None:
    """A number that is known as an id is shown as its handle where an id is expected."""
    renaming = Renaming()
    renaming.binds(C1, 1)

    assert renaming.named(1, C2) == C1


def test_names_an_id_by_the_kind_that_is_expected() -> None:
    """Of two things with one id, the one of the kind that the model has here is shown."""
    renaming = Renaming()
    renaming.binds(C1, "one")
    renaming.binds(T1, "one")

    assert renaming.named("one", Handle("t", 2)) == T1


def test_shows_a_key_as_it_is_where_the_model_has_the_same() -> None:
    """A key of plain text beside one with a handle is no id that was never returned."""
    renaming = Renaming()
    renaming.binds(C1, "real 1")
    expected = {("ana", C1): 1, ("ana", "t"): 1}

    assert renaming.named({("ana", "real 1"): 2, ("ana", "t"): 1}, expected) == {
        ("ana", C1): 2,
        ("ana", "t"): 1,
    }


def test_names_a_census_part_by_part() -> None:
    """What a system holds reads as a mapping of the same parts, ids in them shown as handles."""
    renaming = Renaming()
    renaming.binds(C1, "real 1")

    assert Named({"open": {"real 1"}, "turns": {"real 1": 2}}, renaming) == {
        "open": {C1},
        "turns": {C1: 2},
    }


def test_prints_a_census_by_its_names() -> None:
    """An invariant can print all that a system holds: no real id, no address."""
    renaming = Renaming()
    renaming.binds(C1, "real 1")

    assert repr(Named({"open": ["real 1"], "n": 1}, renaming)) == "{'open': [c_1], 'n': 1}"


def test_names_no_part_that_nobody_looks_at() -> None:
    """A part is named when it is asked for, and once."""
    renaming = Renaming()
    named = Named({"open": ["real 1"], "turns": ["real 1"]}, renaming)
    before = named["open"]
    renaming.binds(C1, "real 1")

    assert (before, named["open"], named["turns"]) == (["real 1"], ["real 1"], [C1])


def test_names_an_unknown_key_alike_whatever_comes_first() -> None:
    """Where the model has ids of two kinds, it is the first by its text: a set has no first."""
    for expected in ({T1: 1, C1: 1}, {C1: 1, T1: 1}):
        assert repr(Renaming().named({"x": 1}, expected)) == "{<a c never returned before>: 1}"


def test_shows_a_number_that_is_a_key_as_the_id_that_it_is() -> None:
    """A key counts nothing: a row that the model no longer holds has its name, a count has none."""
    renaming = Renaming()
    renaming.binds(C1, 17)

    assert renaming.named({17: 17}, {}) == {C1: 17}
