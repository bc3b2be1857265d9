"""Tests of pools: the values now, simplest first."""

from __future__ import annotations

import pytest
from threadline.pool import Now, Pool, pool

NUMBERS: Pool[int] = Pool(lambda now: list(range(now.step)))


def test_gives_its_values_in_order() -> None:
    """A pool of constants gives them as they were written."""
    assert pool("ben", "ana").values(Now(None)) == ("ben", "ana")


def test_knows_whether_it_changes() -> None:
    """A pool of constants tells them, a function does not."""
    assert (pool(1, 2).constant, NUMBERS.constant) == ((1, 2), None)


def test_is_not_symmetric_unless_told() -> None:
    """Values are interchangeable only where the scenario promises it."""
    assert (pool("ana").symmetric, pool("ana", symmetric=True).symmetric) == (False, True)


def test_unites_constants() -> None:
    """Constants or constants are constants, those of the left first."""
    assert (pool("b") | pool(None, "a")).constant == ("b", None, "a")


@pytest.mark.parametrize(
    ("united", "values"),
    [
        (NUMBERS | pool("a"), [0, 1, "a"]),
        (pool("a") | NUMBERS, ["a", 0, 1]),
        (NUMBERS | NUMBERS, [0, 1, 0, 1]),
        (pool("a") | NUMBERS | pool("b"), ["a", 0, 1, "b"]),
    ],
)
def test_unites_what_changes(united: Pool[object], values: list[object]) -> None:
    """A union with a function gives the values of both as they are now, and is no constant."""
    assert united.values(Now(None, step=2)) == values


def test_promises_no_symmetry_for_a_union() -> None:
    """Users that are interchangeable among themselves need not be so with others."""
    assert not (pool("ana", "ben", symmetric=True) | pool("root")).symmetric


def test_refuses_to_be_empty() -> None:
    """A pool of nothing is refused, with an example of what to write."""
    with pytest.raises(ValueError, match=r"write pool\('ana', 'ben'\)"):
        pool()


def test_refuses_symmetry_of_what_changes() -> None:
    """Only constants can be interchangeable: which is the first of a changing pool is unknown."""
    with pytest.raises(ValueError, match=r"symmetric.*write pool\('ana', 'ben', symmetric=True\)"):
        Pool(lambda now: [now.step], symmetric=True)


def test_knows_whom_it_names() -> None:
    """What names somebody is told, of a union the names of both sides."""
    named = pool("ana", "ben", identity=True)

    assert (pool("ana").identities, named.identities) == ((), ("ana", "ben"))
    assert (pool(None) | named | pool("")).identities == ("ana", "ben")
    assert (named | NUMBERS).identities == ("ana", "ben")


@pytest.mark.parametrize("values", [(1, 2), ("ana", ""), (None,)])
def test_refuses_an_identity_that_is_no_name(values: tuple[object, ...]) -> None:
    """Only a text can be renewed; the error says what to write."""
    with pytest.raises(
        ValueError, match=r"write pool\('ana', 'ben', identity=True\) \| pool\(None"
    ):
        pool(*values, identity=True)
