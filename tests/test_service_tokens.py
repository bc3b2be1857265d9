"""Whose each token is, as the environment says it."""

from __future__ import annotations

import pytest

from sessions.web.requests import tokens_from


def test_tokens_are_an_object_from_token_to_user() -> None:
    """Two tokens may be of one user."""
    assert tokens_from('{"t": "ana", "u": "ana"}') == {"t": "ana", "u": "ana"}


@pytest.mark.parametrize(
    "text", ["", "ana", "[]", "{}", '{"": "ana"}', '{"t": 1}', '{"t": " "}', '{"t": "null"}']
)
def test_anything_else_is_refused(text: str) -> None:
    """What is no such object, or names nobody, raises an error that tells no token."""
    with pytest.raises(ValueError, match=r"token|user_id") as refused:
        tokens_from(text)

    assert '"t"' not in str(refused.value)
