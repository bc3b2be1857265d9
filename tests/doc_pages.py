"""README.md and the pages under docs/, taken apart: blocks, commands, links, and what they name."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.project import ROOT

FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")
# What comes before a command of ours: variables of the environment, and uv.
COMMAND = re.compile(r"(?:[A-Z_]+=\S.*? )?(?:uv run )?((?:threadline|pytest|python -m) (?!\d).*)")
FILE = re.compile(r"[\w.*-]+(?:/[\w.*-]+)*/?")
SUFFIXES = (".py", ".md", ".toml", ".jsonl", ".json", ".txt", ".html")


@dataclass(frozen=True, slots=True)
class Page:
    """One page, by its path from the root of the project."""

    name: str
    text: str

    def __str__(self) -> str:
        return self.name

    @property
    def prose(self) -> str:
        """The page without what is fenced."""
        return FENCED.sub("", self.text)

    def fenced(self, language: str = "") -> list[str]:
        """Return the blocks of one language; of none, unless it is said."""
        return [text.rstrip("\n") for of, text in FENCED.findall(self.text) if of == language]

    def block(self, start: str) -> str:
        """Return the first block without a language that begins so."""
        return next(text for text in self.fenced() if text.startswith(start))

    def commands(self) -> Iterator[list[str]]:
        """Yield the words of each command that stands in a block, on a line of its own."""
        for line in "\n".join(self.fenced()).splitlines():
            for part in line.split(" && "):
                if match := COMMAND.fullmatch(part):
                    yield shlex.split(match[1])

    def inline_commands(self) -> Iterator[list[str]]:
        """Yield the words of each command in a sentence; one word more than its name, at least."""
        for text in self.inline():
            match = COMMAND.fullmatch(text)
            if match and len(words := shlex.split(match[1])) > 2:
                yield words

    def inline(self) -> list[str]:
        """Return what stands in backticks outside of blocks."""
        return INLINE.findall(self.prose)

    def files(self) -> list[str]:
        """Return the files and folders that stand in backticks."""
        return [
            text
            for text in self.inline()
            if FILE.fullmatch(text) and ("/" in text or text.endswith(SUFFIXES))
        ]

    def links(self) -> list[str]:
        return LINK.findall(self.prose)

    def anchors(self) -> set[str]:
        """Return the names by which a link can lead to a heading of this page."""
        heads = re.findall(r"^#+ (.*)$", self.prose, re.MULTILINE)
        return {re.sub(r"[^\w -]", "", head).lower().replace(" ", "-") for head in heads}

    def table(self, first: str) -> list[list[str]]:
        """Return the cells of the rows of the table whose first heading this is."""
        lines = iter(self.text.splitlines())
        next(line for line in lines if line.startswith(f"| {first} |"))
        next(lines)  # the rule below the headings
        rows = []
        for line in lines:
            if not line.startswith("|"):
                break
            rows.append([cell.strip() for cell in line.strip("|").split(" |")])
        return rows


def page(name: str) -> Page:
    return Page(name, (ROOT / name).read_text("utf-8"))


README = page("README.md")
DOCS = [page(f"docs/{path.name}") for path in sorted(Path(ROOT, "docs").glob("*.md"))]
PAGES = [README, *DOCS]
