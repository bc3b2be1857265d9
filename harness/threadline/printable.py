"""Printable text: what a system or a trace says, so that it does nothing to whoever reads it.

A terminal obeys escape sequences, a page obeys markup, and a lone surrogate cannot be printed at
all. So foreign text is escaped where it is put out, never before.
"""

from __future__ import annotations

QUOTED_MAX = 200  # characters of a foreign value in a message; our choice


def printable(text: str) -> str:
    r"""Return a text on one line, each character that does not show itself as repr() writes it.

    So ESC is `\x1b`, the end of a line `\n`, U+202E `\u202e`. What is printable already is returned
    as it is, so that escaping twice does no harm.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else _escaped(each) for each in text)


def printable_lines(text: str) -> str:
    """Return a text of several lines with each of them printable."""
    return "\n".join(map(printable, text.split("\n")))


def quoted(value: object) -> str:
    """Return a foreign value on one line of a message, cut to QUOTED_MAX characters."""
    text = printable(value if isinstance(value, str) else repr(value))
    return text if len(text) <= QUOTED_MAX else f"{text[:QUOTED_MAX]}..."


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
