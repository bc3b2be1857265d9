"""Printable text: what a system or a trace says, made harmless to whoever reads it.

A terminal obeys escape sequences, a page obeys markup, and a lone surrogate cannot be printed at
all. So foreign text is escaped where it is put out, never before.
"""

from __future__ import annotations

import hashlib
import re

QUOTED_MAX = 200  # characters of a foreign value in a message; our choice
NAME_MAX = 120  # of the 255 bytes of a file system, as suffixes are added; our choice


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


def file_name(text: str) -> str:
    """Return the name of a file that a text stands for: letters, digits, `.`, `_` and `-` alone.

    Texts that differ have names that differ; most have their own. It has at most NAME_MAX
    characters, and leads out of no folder.
    """
    plain = re.sub(r"[^A-Za-z0-9._-]|^[.-]+", "_", text)[:NAME_MAX]
    if plain == text:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{plain[: NAME_MAX - 9]}-{digest[:8]}"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
