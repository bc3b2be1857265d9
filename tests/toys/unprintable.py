"""A system that says what no terminal and no page should be handed as it is, and drivers of it."""

from __future__ import annotations

import logging

from threadline import Driver, Model, Operation, Refuse, operation, pool

LOUD = (
    "../\x1b[2J\x07\r\x08\x9b31m\u202e\u2066\n"
    "# <script>alert(1)</script> | `x` ``` \ud800 [a](b) &lt; \x00"
)
"""Escapes, bells, C1 and bidi controls, a line, markup of three languages, a lone surrogate."""


class Room(Model):
    """A room in which one calls, and hears nothing of it."""

    @operation(text=pool("a"))
    def call(self, text: str) -> str:
        """Somebody calls."""
        return "quiet"

    @operation(text=pool("a"))
    def ask(self, text: str) -> None:
        """Somebody asks, and is turned down."""
        raise Refuse("no", because=LOUD)

    def teardown(self) -> list[Operation]:
        return []


class Answers(Driver[Room]):
    """Answers aloud."""

    def call(self, text: str) -> str:
        logging.getLogger("loud").warning(LOUD)
        return LOUD


class Accented(Driver[Room]):
    """Answers in another alphabet than ASCII."""

    def call(self, text: str) -> str:
        return "é"


class Raises(Driver[Room]):
    """Raises aloud."""

    def call(self, text: str) -> str:
        raise RuntimeError(LOUD)


class Agrees(Driver[Room]):
    """Turns down aloud."""

    refuses = {ValueError: lambda error: str(error)}

    def ask(self, text: str) -> None:
        raise ValueError(LOUD)


class Told(Driver[Room]):
    """Tells aloud, what nobody was told, to whom nobody knows."""

    def call(self, text: str) -> str:
        self.tell(LOUD, LOUD)
        return "quiet"


Named = type("".join(each for each in LOUD if each not in "\x00\ud800"), (), {})


class Keeps(Driver[Room]):
    """Keeps what was called for ever, under names that nobody was asked for."""

    def __init__(self) -> None:
        self.kept = Named()
        vars(self.kept)[LOUD] = []

    def roots(self) -> dict[str, object]:
        return {LOUD: self.kept}

    def call(self, text: str) -> str:
        vars(self.kept)[LOUD].append(Named())
        return "quiet"
