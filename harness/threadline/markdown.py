"""Markdown: foreign texts as plain words, as code within a line, and as lines of code."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape as escaped_html

from .printable import printable

QUOTE, BAR = "'", r"\|"  # what stands for ` and | in code, where nothing else can be escaped


def plain(text: str) -> str:
    """Return a text without meaning to Markdown, nor to the HTML that is made of it."""
    return re.sub(r"([\\`*_\[\]|~#])", r"\\\1", escaped_html(printable(text), quote=False))


def code(text: str) -> str:
    """Return a text as code within a line, a cell of a table too."""
    return f"`{printable(text).replace('`', QUOTE).replace('|', BAR)}`"


def fenced(language: str, lines: Iterable[str]) -> list[str]:
    """Return lines of code, within a fence that is longer than any in them."""
    text = [printable(line) for line in lines]
    ticks = max((len(run) for line in text for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, ticks + 1)
    return [f"{fence}{language}", *text, fence]
