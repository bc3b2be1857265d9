"""Tests of traces that anybody may have made: none runs code, and none ends in a traceback."""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Iterator
from contextlib import chdir
from functools import partial
from pathlib import Path

import pytest
from click.testing import Result
from threadline.json_lines import FILE_BYTES_MAX

from tests.project import ROOT, forget, run

COMMANDS = (("replay",), ("minimise",), ("leaks", "--cycles", "16", "--seed", "1"))
STORED = [
    ROOT / "tests" / "regressions" / f"{name}.jsonl"
    for name in ("joins-keys", "expires-late", "keeps-dropped")  # with settings; a round trip
]


SHELF = (ROOT / "tests" / "toys/shelf.py").read_text("utf-8")
PROJECT = """
[tool.threadline]
drivers = ["own_shelf:listed", "own_shelf:needing"]
mutants = [
    "tests.mutants.store:MUTANTS",
    "tests.mutants.registry:MUTANTS",
    "tests.mutants.leaks:MUTANTS",
]
scenarios = ["own_shelf:Shelf"]
"""
FUNCTIONS = """
import os

def listed(places=2, trap=""):
    if trap:
        open("trapped", "w").close()
    return Leaky(places)

def needing(places):
    return Leaky(places)

def unlisted(**settings):
    open("trapped", "w").close()
    return Leaky(2)

class Trap:
    def __init__(self, **settings):
        open("trapped", "w").close()

trap = Trap
"""
TRAP = f"open('trapped', 'w').close()\n{SHELF}"
HEADER = {
    "threadline": 1,
    "contract": "shelf",
    "driver": "own_shelf:Leaky",
    "scenario": "own_shelf:Shelf",
    "settings": {"places": 2},
}
PUT = {"step": 1, "operation": "put", "book": "Emma"}
TAKE = {"step": 2, "operation": "take", "book": "Emma"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Go to a project with files that a trace may load, and with many that it may not."""
    outside, here = (tmp_path_factory.mktemp(name) for name in ("outside", "project"))
    (outside / "trap.py").write_text(TRAP, "utf-8")
    write_project(here, outside)
    path = [*sys.path]
    sys.path.append(str(here / "source"))
    with chdir(here):
        yield here
    sys.path[:] = path
    forget(here.parent)


def write_project(here: Path, outside: Path) -> None:
    """Write the files of the project: those of its own, and traps for who imports any others."""
    (here / "pyproject.toml").write_text(PROJECT, "utf-8")
    (here / "own_shelf.py").write_text(SHELF + FUNCTIONS, "utf-8")
    for name in ("deep/inner", "source"):
        (here / name).mkdir(parents=True)
    (here / "deep" / "__init__.py").touch()
    (here / "deep" / "inner" / "shelves.py").write_text(SHELF, "utf-8")
    (here / "source" / "source_shelf.py").write_text(SHELF, "utf-8")
    (here / "near.py").symlink_to(here / "own_shelf.py")
    (here / "json.py").write_text(TRAP, "utf-8")
    (here / "linked.py").symlink_to(outside / "trap.py")
    (here / "linked_package").symlink_to(outside)
    for name in (".venv/lib/site-packages", "vendored/site-packages", "environment/inner", "own"):
        (here / name).mkdir(parents=True)
        (here / name / "trap.py").write_text(TRAP, "utf-8")
    (here / "environment" / "pyvenv.cfg").touch()
    (here / "own" / "__init__.py").symlink_to(outside / "trap.py")


def lines(*values: object) -> bytes:
    return b"".join(json.dumps(value).encode("ascii") + b"\n" for value in values)


def with_header(**changed: object) -> bytes:
    return lines({**HEADER, **changed}, PUT, TAKE)


def is_clean(result: Result) -> bool:
    """Return whether a command has ended as it should, whatever it was given."""
    return (
        (result.exception is None or isinstance(result.exception, SystemExit))
        and result.exit_code in (0, 1, 2)
        and "Traceback" not in result.output
        and (result.exit_code != 2 or len(result.stderr.splitlines()) == 1)
        and result.output.replace("\n", "").isprintable()
    )


def told_by(*words: str) -> tuple[int, str]:
    """Return the exit status, and the last clause of the one line that a command tells."""
    result = run(*words)
    assert is_clean(result), result.output
    return result.exit_code, result.stderr.rpartition("; ")[2].strip()


def kept(folder: Path, content: bytes) -> str:
    path = folder / "trace.jsonl"
    path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize(
    "driver",
    [
        "os:system",
        # A function, a class that is no driver, and what a driver's file has beside it.
        "own_shelf:unlisted", "own_shelf:Trap", "own_shelf:trap", "own_shelf:Shelf",
        "own_shelf:__class__", "own_shelf:__loader__", "own_shelf:Leaky.__init__",
        "own_shelf:os.system", "own_shelf:nope", "own_shelf:", ":Leaky", "Leaky", "", ":",
        # A file that the standard library hides, links, and a package that begins outside.
        "json:Leaky", "./json.py:Leaky", "linked:Leaky", "./linked.py:Leaky",
        "linked_package.trap:Leaky", "own.trap:Leaky",
        "../OUTSIDE/trap.py:Leaky", "OUTSIDE/trap.py:Leaky", "/proc/self/cwd/own_shelf.py:Leaky",
        ".venv/lib/site-packages/trap.py:Leaky", "vendored/site-packages/trap.py:Leaky",
        "environment/inner/trap.py:Leaky", "environment.inner.trap:Leaky",
        "..own_shelf:Leaky", ".own_shelf:Leaky", "own_shelf.:Leaky", "own_shelf.Leaky:Leaky",
        "own-shelf:Leaky", "own_shelf\x00:Leaky", "./own_shelf\x00.py:Leaky",
        "own_shelf:Le\u202eaky", "\ud800:Leaky", "\x1b[2J:Leaky",
        # What is there, and no driver of this project.
        "__main__:Leaky", "builtins:exec", "threadline.__main__:main",
        "threadline.cli.command:threadline", "threadline.driver:end", "threadline:Model",
        "threadline...x:y", "folder.jsonl:Leaky", "antigravity:fly",
        "tests.mutants.store:mutant", "drivers.openai_agents:sqlite_session",
        "a." * 5000 + "a:b", "x" * 100_000 + ":y", "x" * 100_000 + ".py:y",
    ],
    ids=lambda name: name[:40].encode("unicode_escape").decode(),
)  # fmt: skip
def test_a_trace_loads_no_driver_that_is_not_the_users_own(folder: Path, driver: str) -> None:
    """
    It is refused by every command, in one line that says what to give, and nothing is imported.
    """
    name = driver.replace("OUTSIDE", str(folder.parent / "outside0"))
    trace = kept(folder, with_header(driver=name, settings={"command": "touch trapped"}))

    refused = (2, "give --driver MODULE:NAME")

    assert [told_by(*command, trace) for command in COMMANDS] == [refused] * 3
    assert not (folder / "trapped").exists()


@pytest.mark.parametrize(
    "driver", ["own_shelf:Leaky", "./own_shelf.py:Leaky", "deep.inner.shelves:Leaky",
               "deep/inner/shelves.py:Leaky", "source_shelf:Leaky", "near:Leaky",
               "own_shelf:listed", "own_shelf:needing"]
)  # fmt: skip
def test_a_trace_loads_what_is_the_users_own(folder: Path, driver: str) -> None:
    """
    A class of a file below the folder, by its name, its path, or the path of imports; and what the
    project lists, a function too.
    """
    assert run("replay", kept(folder, with_header(driver=driver))).exit_code == 1


def test_a_trace_gives_a_function_no_setting_that_the_model_has_not(folder: Path) -> None:
    """
    What the project lists may take more than a scenario draws, and is not handed it by a trace.
    """
    content = with_header(driver="own_shelf:listed", settings={"places": 2, "trap": "x"})

    assert told_by("replay", kept(folder, content)) == (2, "take it in __init__, by that name")
    assert not (folder / "trapped").exists()


@pytest.mark.parametrize("driver", ["own_shelf:unlisted", "./own_shelf.py:unlisted"])
def test_what_the_command_names_is_loaded(folder: Path, driver: str) -> None:
    """The user may name any function; the failure's own command names it again."""
    result = run("replay", kept(folder, with_header(driver="os:system")), "--driver", driver)
    (folder / "trapped").unlink()

    assert result.exit_code == 1
    assert result.output.endswith(f"/trace.jsonl --driver {driver}\n")


@pytest.mark.parametrize(
    "scenario", ["os:system", "own_shelf:Trap", "linked:Shelf", "own_shelf:Leaky", "", "x\x00:y"]
)
def test_a_trace_loads_no_scenario_that_is_not_the_users_own(folder: Path, scenario: str) -> None:
    """Its arguments are left as they are, and the trace is minimised without."""
    trace = kept(folder, with_header(scenario=scenario))

    assert [run(*command, trace).exit_code for command in COMMANDS] == [1, 0, 0]
    assert not (folder / "trapped").exists()


at_night = partial(pytest.param, marks=pytest.mark.slow)
BIG = 10**4000
LONG = "9" * 5000  # digits, of which Python reads 4300
DEEPER = b'{"step": 1, "operation": "put", "book": ' + b"[" * 200 + b"]" * 200 + b"}\n"
START = with_header().partition(b"\n")[0] + b"\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not JSON"),
        (b"\n", "not JSON"),
        (b"\x00" * 1000, "not JSON"),
        (b"\xff\xfe{\x00", "not JSON ('utf-8' codec"),
        ("{}".encode("utf-16"), "not JSON ('utf-8' codec"),
        (b"[" * 100_000, "lists within each other; write fewer"),
        (b'{"a":' * 100_000, "lists within each other; write fewer"),
        (b"[" * 200 + b"]" * 200, "lists within each other; write fewer"),
        (b"9" * 100_000, "not JSON (Exceeds the limit"),
        (b"NaN", "nan is no JSON object"),
        (b"[" + b"[]," * 6_000_000, "has over 16 MiB, and so is no step"),
        (START + b"[" + b"[]," * 6_000_000, "has over 16 MiB, and so is no step"),
        (b"{}", "no trace header"),
        (b'{"threadline": 1, "threadline": 1}', "'threadline' is there twice"),
        (with_header(threadline=0), "a trace of format 0"),
        (with_header(threadline=BIG), "a trace of format 1000"),
        (with_header(threadline=1.0), "a trace of format 1.0"),
        (with_header(threadline={"a": 1}), "a trace of format {'a': 1}"),
        (with_header(driver=["os", "system"]), "for 'driver'; write text"),
        (with_header(driver=None), "has None for 'driver'; write text"),
        (with_header(contract="other"), "is of the model other, and own_shelf:Leaky drives shelf"),
        (with_header(contract="\x1b[31m\ud800\n"), r"is of the model \x1b[31m\ud800\n, and"),
        (with_header(signature=5), "has 5 for 'signature'; write text"),
        (with_header(round_trip="yes"), "write true or false"),
        (with_header(seed=float("inf")), "has inf for 'seed'; write a whole number"),
        (with_header(policy=[1]), "has [1] for 'policy'; write a JSON object"),
        (with_header(versions={"python": {"handle": 3}}), "for the version of python; write text"),
        (with_header(versions=[]), "has [] for 'versions'; write a JSON object"),
        (with_header(settings={"__class__": 1}), "no setting can be called '__class__'; remove"),
        (with_header(settings={"__init__": 1}), "no setting can be called '__init__'; remove"),
        (with_header(settings={"a b": 1}), "no setting can be called 'a b'; remove it"),
        (with_header(settings={"": 1}), "no setting can be called ''; remove it"),
        (with_header(settings={"\x1b": 1}), r"no setting can be called '\x1b'; remove it"),
        (with_header(settings={"self": 1}), "Shelf takes no setting 'self'; take it in __init__"),
        (with_header(settings={"books": []}), "Shelf takes no setting 'books'; take it in"),
        (with_header(settings={"places": {}}), "the argument places cannot be read: {} is no"),
        (with_header(settings={"places": {"handle": "x"}}), "'x' is no handle; write KIND_STEP"),
        (with_header(settings={"places": {"handle": f"c_{LONG}"}}), "cannot be read: Exceeds the"),
        (with_header(settings={"places": "two"}), "cannot be played: Shelf raised TypeError"),
        (with_header(settings={"places": None}), "cannot be played: Shelf raised TypeError"),
        (START + b'{"step": 1}\n', "no operation is called None; there are put, take"),
        (START + b'{"step": 0, "operation": "put", "book": ""}\n', "the step is 0; write a whole"),
        (START + b'{"step": -1, "operation": "put", "book": ""}\n', "the step is -1; write a"),
        (START + b'{"step": 1e3, "operation": "put", "book": ""}\n', "the step is 1000.0; write"),
        (START + b'{"step": true, "operation": "put", "book": ""}\n', "the step is True; write a"),
        (START + b'{"step": %d, "operation": "put", "book": ""}\n' % BIG, "the step is 1000"),
        (START + b'{"step": 1, "operation": "put", "book": {"handle": []}}\n', "is no handle"),
        (START + b'{"step": 1, "operation": "put", "book": {"a": 1, "b": 2}}\n', "is no handle"),
        (START + b'{"step": 1, "operation": "__class__"}\n', "is called '__class__'; there are"),
        (START + b'{"step": 1, "operation": "census"}\n', "is called 'census'; there are put"),
        (START + b'{"step": 1, "operation": "put", "x\x1b": 1}\n', "not JSON"),
        (START + b'{"step": 1, "operation": "put", "\\u001b": 1}\n', r"arguments \x1b, and takes"),
        (START + b'{"step": 1, "step": 1, "operation": "put", "book": ""}\n', "is there twice"),
        (START + DEEPER, "lists within each other; write fewer"),
        (START + b"\r\r" + DEEPER, "lists within each other; write fewer"),
        (with_header() + with_header().splitlines(keepends=True)[1], "step 1 comes after step 2"),
        (with_header() + b'{"step": 2, "operation": "put", "book": ""}\n', "comes after step 2"),
        (START + b'{"step": 1, "operation": "take", "book": "Emma"}\n', "KeyError('Emma') in take"),
        (START + b'{"step": 1, "operation": "put", "book": {"handle": "b_1"}}\n', ""),
    ],
)  # fmt: skip
def test_says_what_is_wrong_with_a_hostile_trace(
    folder: Path, content: bytes, message: str
) -> None:
    """One line and status 2 from every command, whatever the file has in it."""
    trace = kept(folder, content)
    results = [run(*command, trace) for command in COMMANDS]

    assert [is_clean(result) for result in results] == [True] * 3
    assert [message in result.stderr for result in results] == [True] * 3


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xef\xbb\xbf" + with_header(), "fails"),  # as some editors begin a text
        at_night(with_header().replace(b"\n", b"\r\n"), "fails"),
        at_night(with_header()[:-1], "fails"),
        (with_header() + b'{"step": 3, "oper', "cut short: its last line is not whole"),
        at_night(with_header() + b"\xff", "cut short: its last line is not whole"),
        (START, "agrees on all 0 operations"),
        (lines({**HEADER, "signature": "keys-\x1b"}), r"was a failure: keys-\x1b, and agrees now"),
        (with_header(signature="memory"), "failure: memory, and fails as memory-take.books now"),
        (with_header(policy={"\x1b": {"\ud800": [BIG]}}), r"under the policy \x1b={'\ud800': [1"),
        (with_header(versions={"python": "\x1b" * 9, "a": ""}), r"made with python \x1b\x1b"),
        at_night(with_header(seed=BIG, run=-BIG, engine="\x1b\n" * 999), r"found by \x1b\n\x1b\n"),
        (lines(HEADER, {**PUT, "book": "\x1b\n\ud800\u202e"}), r"put(book='\x1b\n\ud800\u202e')"),
        at_night(lines(HEADER, {**PUT, "book": None}), "put(book=None)"),
        (lines(HEADER, {**PUT, "book": float("nan")}), "put(book=nan)"),
        at_night(lines(HEADER, {**PUT, "book": -BIG}), "put(book=-1000"),
        (lines(HEADER, {**PUT, "book": [[["a"]]]}), "put(book=((('a',),),))"),
        (lines(HEADER, {**PUT, "book": {"handle": "b_1"}}), "skipped: b_1 names nothing"),
        at_night(with_header(settings={"places": BIG}), "fails"),
        (with_header(settings={"places": float("-inf")}), "fails"),
        at_night(with_header(scenario="\x1b\n"), "fails"),
    ],
)  # fmt: skip
def test_plays_what_a_strange_trace_says(folder: Path, content: bytes, told: str) -> None:
    """What can be read is played, and shown without a character that a terminal obeys."""
    results = [run(*command, kept(folder, content)) for command in COMMANDS]

    assert [is_clean(result) for result in results] == [True] * 3
    assert told in results[0].output.replace("diverges", "fails")


def test_reads_plain_files_alone(folder: Path) -> None:
    """A pipe, a device, a folder, what is not there or too big: told, without waiting for it."""
    os.mkfifo(folder / "pipe.jsonl")
    (folder / "folder.jsonl").mkdir()
    (folder / "circle.jsonl").symlink_to("circle.jsonl")
    with (folder / "big.jsonl").open("wb") as file:
        file.truncate(FILE_BYTES_MAX + 1)  # which takes no room on the disk
    names = ["pipe", "folder", "circle", "nope", "big", "x" * 300]
    traces = [*(f"{name}.jsonl" for name in names), "/dev/zero", "/dev/null", "/proc/self/mem"]

    results = [run(*command, trace) for trace in traces for command in COMMANDS]

    assert [is_clean(result) for result in results] == [True] * 27
    assert [result.exit_code for result in results] == [2] * 27
    assert [r.stderr for r in results if ": it is no file" in r.stderr] != []
    assert "Error: big.jsonl has over 64 MiB, and so is no trace\n" in results[12].stderr


@pytest.mark.parametrize("damaged_max", [100, pytest.param(500, marks=pytest.mark.slow)])
def test_no_damaged_trace_ends_in_a_traceback(folder: Path, damaged_max: int) -> None:
    """Traces that were cut, or of which a few bytes were changed: played, or refused in one line.

    `leaks`, which plays in a process of its own, is given every 25th.
    """
    draw = random.Random(11)
    sources = [*(path.read_bytes() for path in STORED), with_header()]
    codes = set()
    for number in range(damaged_max):
        content = damaged(draw.choice(sources), draw)
        trace = kept(folder, content)
        for command in COMMANDS if number % 25 == 0 else COMMANDS[:2]:
            result = run(*command, trace)
            assert is_clean(result), (command, content, result.output, result.exception)
            codes.add(result.exit_code)

    assert codes == {0, 1, 2}


def damaged(content: bytes, draw: random.Random) -> bytes:
    """Return a trace as a disk, an editor or a stranger leaves it."""
    data = bytearray(content)
    for _ in range(draw.randint(1, 3)):
        at = draw.randrange(len(data)) if data else 0
        kind = draw.choice(("cut", "flip", "change", "insert", "delete", "repeat", "swap"))
        if kind == "cut":
            del data[at:]
        elif kind == "insert":
            data[at:at] = draw.randbytes(draw.randint(1, 4))
        elif kind == "delete":
            del data[at : at + draw.randint(1, 8)]
        elif kind in ("repeat", "swap"):
            parts = bytes(data).splitlines(keepends=True) or [b""]
            parts.insert(draw.randrange(len(parts)), draw.choice(parts))
            data = bytearray(
                b"".join(parts if kind == "repeat" else draw.sample(parts, len(parts)))
            )
        elif data:
            data[at] = data[at] ^ 1 << draw.randrange(8) if kind == "flip" else draw.randrange(256)
    return bytes(data)
