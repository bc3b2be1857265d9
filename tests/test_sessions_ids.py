"""The identifiers: their forms, their uniqueness, and reading them back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count, repeat
from threading import Thread

import pytest

from sessions import UnifiedIdGenerator
from sessions.default import UnifiedIdGenerator as OnDefault
from sessions.errors import InvalidIdRequestError
from sessions.ids import ParsedId
from tests.sessions_clock import ManualClock


def make_ids(counter: Iterator[int] | None = None) -> UnifiedIdGenerator:
    """Return a generator whose clock stands still and whose entropy is always ab, ab, ab."""
    return UnifiedIdGenerator(ManualClock(), counter or count(1), lambda size: b"\xab" * size)


def test_base_id_has_prefix_time_number_and_hex() -> None:
    """A base id is its prefix, thirteen digits of milliseconds, a number and eight hex digits."""
    assert make_ids().generate_base_id("doc") == "doc_1700000000000_1_abababab"


def test_base_id_without_random_ends_with_the_number() -> None:
    """Without the random part an id ends with its number."""
    assert make_ids().generate_base_id("doc", include_random=False) == "doc_1700000000000_1"


def test_random_length_under_one_is_refused() -> None:
    """No id is made with a random part of no digits."""
    with pytest.raises(InvalidIdRequestError, match="random_length is 0; give 1 or more"):
        make_ids().generate_base_id("doc", random_length=0)


def test_early_time_keeps_thirteen_digits() -> None:
    """The time has thirteen digits even where the clock has hardly begun."""
    ids = UnifiedIdGenerator(ManualClock(1.5), count(1))

    assert ids.generate_base_id("doc", include_random=False) == "doc_0000000001500_1"


def test_context_ids_come_from_one_operation() -> None:
    """Thread, run and request of one call carry its operation, and the thread carries the run."""
    assert make_ids().generate_user_context_ids("ana", "chat") == (
        "thread_chat_1700000000000_1_abababab",
        "chat_1700000000000_1_abababab",
        "req_chat_1700000000000_2_abababab",
    )


def test_operation_of_65_characters_is_refused() -> None:
    """An operation may not have sixty-five characters."""
    with pytest.raises(InvalidIdRequestError, match="operation has 65 characters; give at most 64"):
        make_ids().generate_user_context_ids("ana", "o" * 65)


def test_ids_of_one_frozen_millisecond_differ() -> None:
    """Ids made while the clock stands still differ, even with the same random part."""
    ids = make_ids()

    assert len({ids.generate_base_id() for _ in range(1000)}) == 1000


def test_ids_of_two_processes_differ_by_their_random_part() -> None:
    """Two generators at the same time and number make different ids."""
    first = UnifiedIdGenerator(ManualClock(), repeat(1))
    second = UnifiedIdGenerator(ManualClock(), repeat(1))

    assert first.generate_base_id() != second.generate_base_id()


def test_ids_made_by_many_threads_differ() -> None:
    """Eight threads that share a generator never get the same id."""
    ids = make_ids()
    made: list[str] = []
    threads = [
        Thread(target=lambda: made.extend([ids.generate_base_id() for _ in range(500)]))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(made)) == 4000


@pytest.mark.parametrize("text", ["not-an-id", None, 7])
def test_foreign_ids_are_not_valid(text: object) -> None:
    """What no generator made is not valid."""
    assert not make_ids().is_valid_id(text)


def test_foreign_id_has_no_parts() -> None:
    """What no generator made has no parts."""
    assert make_ids().parse_id("not-an-id") is None


def test_parse_id_returns_all_parts() -> None:
    """An id is read back into prefix, time, number and random part."""
    found = make_ids().parse_id("a_b_1700000000000_12_0f")

    assert found == ParsedId("a_b", 1_700_000_000_000, 12, "0f")


def test_class_level_call_makes_an_id() -> None:
    """On the class, the process default makes the id."""
    made = OnDefault.generate_base_id("thread")

    assert re.fullmatch("thread_[0-9]{13}_[0-9]+_[0-9a-f]{8}", made)
