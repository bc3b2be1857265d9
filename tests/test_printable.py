"""Tests of what a loud system does to terminals, pages and files: nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import Result
from threadline.printable import NAME_MAX, QUOTED_MAX, file_name, printable, printable_lines, quoted

from tests.project import flat, ran, run
from tests.toys.unprintable import LOUD

SEEN = r"\x1b[2J\x07\r\x08\x9b31m\u202e\u2066\n# <script>"
AS_ROOT = ("--cycles", "16", "--seed", "1")


def is_printable(text: str) -> bool:
    return text.replace("\n", "").isprintable()


def stored(driver: str, operation: str = "call", text: str = "a", **header: object) -> str:
    """Keep a trace of one step, and return its path."""
    first = {"threadline": 1, "contract": "room", "driver": driver, **header}
    lines = (json.dumps(first), json.dumps({"step": 1, "operation": operation, "text": text}))
    Path("trace.jsonl").write_text("\n".join(lines) + "\n", "ascii")
    return "trace.jsonl"


def replayed(driver: str, operation: str = "call", text: str = "a") -> Result:
    return run("replay", stored(driver, operation, text), "--driver", driver, "--log", "--full")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("", ""),
        ("a b é 世", "a b é 世"),
        ("\\", "\\"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\x00\x07\x08\t\n\r\x7f", r"\x00\x07\x08\t\n\r\x7f"),
        ("\x80\x85\x9b", r"\x80\x85\x9b"),
        ("\u2028\u2029\u200b\ufeff", r"\u2028\u2029\u200b\ufeff"),
        ("\u202a\u202e\u2066\u2069", r"\u202a\u202e\u2066\u2069"),
        ("\ud800\udfff", r"\ud800\udfff"),
        ("\U000e0001", r"\U000e0001"),
    ],
)
def test_shows_what_does_not_show_itself(text: str, seen: str) -> None:
    """As repr() writes it, and what is printable stays as it is, escaped before or not."""
    assert printable(text) == seen
    assert printable(seen) == seen


def test_keeps_the_lines_of_a_text() -> None:
    """Where a text has lines, their ends stay, and nothing else that moves the cursor."""
    assert printable_lines("a\x1b\nb\r\n") == "a\\x1b\nb\\r\n"


def test_cuts_what_is_long() -> None:
    """
    A value in a message has 200 characters at most, and what is a text is shown without quotes.
    """
    assert QUOTED_MAX == 200
    assert quoted("a" * 200) == "a" * 200
    assert quoted("a" * 201) == "a" * 200 + "..."
    assert quoted(["\x1b"]) == r"['\x1b']"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("memory-system.factory._ended", "memory-system.factory._ended"),
        ("a/../b", "a_.._b-900ea8b7"),
        ("../../etc", "__.._etc-"),
        ("..", "_-"),
        ("", ""),
        ("-rf", "_rf-"),
        ("a\x00\n\ud800é b", "a_____b-"),
        ("x" * NAME_MAX, "x" * NAME_MAX),
        ("x" * (NAME_MAX + 1), "x" * (NAME_MAX - 9) + "-"),
    ],
)
def test_names_files_with_safe_characters(text: str, name: str) -> None:
    """
    A name leads out of no folder; what had to be changed has a number, so that it stays its own.
    """
    found = file_name(text)

    assert found.startswith(name)
    assert re.fullmatch(r"[A-Za-z0-9._-]{0,120}", found)


def test_texts_that_differ_have_files_that_differ() -> None:
    """Two signatures of which only an unsafe character differs are kept apart."""
    assert file_name("a/b") != file_name("a:b")


@pytest.mark.parametrize(
    ("driver", "operation"),
    [("Answers", "call"), ("Raises", "call"), ("Agrees", "ask"), ("Told", "call")],
)
def test_a_replay_shows_what_a_system_says(project: Path, driver: str, operation: str) -> None:
    """An answer, an exception, a reason, what is told and what is logged."""
    output = replayed(f"tests.toys.unprintable:{driver}", operation).output

    assert SEEN in flat(output)
    assert is_printable(output)


def test_a_replay_shows_what_a_trace_says(project: Path) -> None:
    """An argument that holds what a terminal would obey."""
    output = replayed("tests.toys.unprintable:Answers", text=LOUD).output

    assert f"->   1  call(text='../{SEEN}" in re.sub(r"\n {6,}", " ", output)
    assert is_printable(output)


@pytest.mark.parametrize(
    "words",
    [
        ("fuzz", "tests.toys.unprintable:Answers", "--runs", "2", "--log"),
        ("fuzz", "tests.toys.unprintable:Raises", "--runs", "2"),
        ("check", "tests.toys.unprintable:Told"),
        ("leaks", "tests.toys.unprintable:Keeps", "--runs", "2", *AS_ROOT),
    ],
    ids=lambda words: words[0],
)
def test_a_command_shows_what_a_system_says(project: Path, words: tuple[str, ...]) -> None:
    """A campaign with its log, a check and a hunt for leaks."""
    result = run(*words)

    assert result.exit_code == 1
    assert SEEN.partition(" ")[0] in result.output.replace("\n", "")
    assert is_printable(result.output)


def test_a_page_means_nothing_but_text(project: Path) -> None:
    """In the files of a leak no markup is the system's, and they are where they belong."""
    run("leaks", "tests.toys.unprintable:Keeps", "--runs", "2", "--objgraph", *AS_ROOT)
    (folder,) = Path("reports/runs").iterdir()
    (page,) = folder.glob("*.html")
    (markdown,) = folder.glob("*.md")
    told = markdown.read_text("utf-8")
    prose = re.sub(r"(?s)```.*?\n```\n|(?<!\\)`[^`\n]+`", "", told)

    assert sorted(path.suffix for path in folder.iterdir()) == [".dot", ".html", ".jsonl", ".md"]
    assert "<script" not in page.read_text("utf-8")
    assert "<script" not in told
    assert is_printable(page.read_text("utf-8"))
    assert is_printable(told)
    assert re.findall(r"(?<!\\)[\[`]|<|^# *<", prose) == []
    assert len(re.findall(r"(?<!\\)\|", next(re.finditer(r"\| \*\*.*", told))[0])) == 4


@pytest.mark.slow
def test_pytest_shows_what_a_system_says(project: Path) -> None:
    """The report of a failed scenario can be printed anywhere."""
    Path("tests").mkdir()
    words = ("--threadline", "tests.toys.unprintable:Answers", "--hypothesis-seed=1")
    ended = ran("pytest", *words, "-p", "no:cacheprovider")
    output = ended.stdout.decode()

    assert ended.returncode == 1
    assert SEEN in flat(output)
    assert is_printable(output)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"PYTHONIOENCODING": "latin-1"}, b"call(text='\xe9\\u4e16')"),
        # Click takes ASCII for a mistake, and writes UTF-8.
        ({"PYTHONIOENCODING": "ascii"}, "call(text='é世')".encode()),
        ({"LC_ALL": "C", "LANG": "C"}, "call(text='é世')".encode()),
    ],
    ids=["latin-1", "ascii", "C"],
)
def test_a_terminal_without_a_character_is_told_its_number(
    project: Path, settings: dict[str, str], told: bytes
) -> None:
    """Where standard output does not take each character, nothing ends in an error of encoding."""
    driver = "tests.toys.unprintable:Answers"
    words = ("replay", stored(driver, text="é世"), "--driver", driver)
    ended = ran("threadline", *words, PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", **settings)

    assert ended.returncode == 1
    assert told in ended.stdout
    assert ended.stderr == b""


def test_a_table_without_a_character_tells_its_number(project: Path) -> None:
    """So does what is printed as a table, which Click does not see."""
    words = ("check", "tests.toys.unprintable:Accented")
    ended = ran("threadline", *words, PYTHONIOENCODING="ascii")

    assert ended.returncode == 1
    assert rb"system:  ok, '\xe9'" in ended.stdout
    assert ended.stderr == b""
