"""Tests of the handle: a name that is never taken for text."""

from __future__ import annotations

import pytest
from threadline.handle import Dangling, Handle, parse_handle


def test_prints_as_kind_and_step() -> None:
    """A handle prints as the kind and the step that brought it back."""
    assert str(Handle("c", 7)) == "c_7"


def test_prints_the_same_within_values() -> None:
    """A handle within a list prints as it does alone."""
    assert repr([Handle("c", 7)]) == "[c_7]"


def test_is_no_text() -> None:
    """A handle differs from the text that it prints as."""
    text: object = "c_7"

    assert Handle("c", 7) != text


@pytest.mark.parametrize(
    ("text", "handle"),
    [("c_7", Handle("c", 7)), ("t_0", Handle("t", 0)), ("web_socket_12", Handle("web_socket", 12))],
)
def test_reads_what_it_prints(text: str, handle: Handle) -> None:
    """The text of a handle reads as that handle, also where its kind has an underscore."""
    assert parse_handle(text) == handle


@pytest.mark.parametrize("text", ["", "c", "c_", "_7", "c_x", "c_-1", "c_7 ", "c_٣", "c_²", "c_07"])
def test_reads_no_other_text(text: str) -> None:
    """Text that no handle prints as is refused, with an example of what to write."""
    with pytest.raises(ValueError, match="write KIND_STEP, as in c_7"):
        parse_handle(text)


def test_dangling_names_its_handle() -> None:
    """An operation skipped for a handle says which one."""
    assert str(Dangling(Handle("c", 7))) == (
        "c_7 names nothing: no step brought it back, or it has ended"
    )
