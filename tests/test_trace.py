"""Tests of the trace: what is written is read again, and what cannot be read says why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from threadline import trace
from threadline.contracts.conversation_store import Policy
from threadline.handle import Handle
from threadline.trace import BadTrace, Header, Trace

from tests.toys.desk import Desk
from tests.toys.scripted import Script

HEADER = b'{"threadline": 1, "contract": "desk", "driver": "tests.toys.desk:DeskDriver"}\n'


def written(folder: Path, *lines: bytes) -> Path:
    path = folder / "run.jsonl"
    path.write_bytes(HEADER + b"".join(lines))
    return path


def test_writes_a_line_for_the_header_and_for_each_step() -> None:
    """A trace is a header and one line an operation."""
    short = Header(contract="desk", driver="tests.toys.desk:DeskDriver", scenario="Visits", seed=7)
    encoded = Trace(
        short, ((1, Desk.enter("ana")), (4, Desk.leave(Handle("t", 1))), (5, Desk.ring()))
    ).encoded()

    assert encoded.decode().splitlines() == [
        '{"threadline": 1, "contract": "desk", "driver": "tests.toys.desk:DeskDriver", '
        '"scenario": "Visits", "policy": {}, "settings": {}, "engine": "", "tactic": "", '
        '"seed": 7, "run": 0, "steps_max": 0, "signature": "", "round_trip": false, '
        '"versions": {}}',
        '{"step": 1, "operation": "enter", "user": "ana"}',
        '{"step": 4, "operation": "leave", "ticket": {"handle": "t_1"}}',
        '{"step": 5, "operation": "ring"}',
    ]


def test_reads_what_it_writes(tmp_path: Path) -> None:
    """A trace comes back from its file as it was, header and all."""
    header = Header(
        contract="desk",
        driver="tests.toys.desk:DeskDriver",
        scenario="tests.toys.desk:Visits",
        policy={"shared": True},
        settings={"size": 3, "name": "\ud800", "limits": (1, (2, 3))},
        engine="explore",
        tactic="swarm",
        seed=7,
        run=12,
        steps_max=50,
        signature="memory-leave",
        versions={"python": "3.13.0"},
    )
    whole = Trace(header, ((1, Desk.enter("a\x00\ud800")), (4, Desk.leave(Handle("t", 1)))))
    path = tmp_path / "run.jsonl"
    path.write_bytes(whole.encoded())

    assert trace.read(path, Desk.kinds()) == whole


def test_reads_a_header_alone(tmp_path: Path) -> None:
    """The header is read without knowing the operations."""
    path = written(tmp_path, b'{"step": 1, "operation": "unheard of"}\n')

    assert trace.read_header(path) == Header(contract="desk", driver="tests.toys.desk:DeskDriver")


def test_passes_over_what_a_header_has_too_much(tmp_path: Path) -> None:
    """A header with a field that this version does not know is read."""
    path = tmp_path / "run.jsonl"
    path.write_bytes(HEADER.replace(b"}", b', "weather": "fine"}'))

    assert trace.read_header(path) == Header(contract="desk", driver="tests.toys.desk:DeskDriver")


@pytest.mark.parametrize(
    "cut", [b"{", b'{"step": 2, "oper', b'{"step": 2, "operation": "leave", "x": {"handle": "t_1"}']
)
def test_leaves_out_a_last_line_that_is_cut(tmp_path: Path, cut: bytes) -> None:
    """The line that a killed process was writing is left out."""
    path = written(tmp_path, b'{"step": 1, "operation": "ring"}\n', cut)

    assert trace.read(path, Desk.kinds()).operations == ((1, Desk.ring()),)


def test_reads_a_last_line_without_its_end(tmp_path: Path) -> None:
    """A whole last line counts, though an editor left out the end of the line."""
    path = written(tmp_path, b'{"step": 1, "operation": "ring"}')

    assert trace.read(path, Desk.kinds()).operations == ((1, Desk.ring()),)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            b'{"step": 1, "operation": "fly"}',
            "no operation is called 'fly'; there are enter, leave, press, ring",
        ),
        (b'{"step": 1}', "no operation is called None; there are enter, leave, press, ring"),
        (
            b'{"step": 1, "operation": ["ring"]}',
            "no operation is called ['ring']; there are enter, leave, press, ring",
        ),
        (
            b'{"step": 1, "operation": "enter"}',
            "enter has the arguments none, and takes user",
        ),
        (
            b'{"step": 1, "operation": "ring", "loud": true, "long": 1}',
            "ring has the arguments loud, long, and takes none",
        ),
        (
            b'{"operation": "ring"}',
            'the step is None; write a whole number from 1, as in "step": 3',
        ),
        (
            b'{"step": true, "operation": "ring"}',
            'the step is True; write a whole number from 1, as in "step": 3',
        ),
        (
            b'{"step": 0, "operation": "ring"}',
            'the step is 0; write a whole number from 1, as in "step": 3',
        ),
        (b"[1, 2]", "[1, 2] is no JSON object; a trace is one JSON object a line"),
        (
            b'{"step": 1, "operation": "leave", "ticket": {"handle": "t"}}',
            "the argument ticket cannot be read: 't' is no handle; write KIND_STEP, as in c_7",
        ),
        (
            b'{"step": 1, "operation": "leave", "ticket": {"name": "t_1"}}',
            "the argument ticket cannot be read: {'name': 't_1'} is no handle; "
            'write {"handle": "c_7"}',
        ),
        (
            b'{"step": 1, "operation": "leave", "ticket": {"handle": 1}}',
            "the argument ticket cannot be read: {'handle': 1} is no handle; "
            'write {"handle": "c_7"}',
        ),
    ],
)
def test_says_what_is_wrong_with_a_line(tmp_path: Path, line: bytes, message: str) -> None:
    """A line that is no step is refused, with its file and number and what to write."""
    path = written(tmp_path, b'{"step": 1, "operation": "ring"}\n', line + b"\n")

    with pytest.raises(BadTrace) as raised:
        trace.read(path, Desk.kinds())

    assert str(raised.value) == f"{path}:3: {message}"


@pytest.mark.parametrize("line", [b'{"step": 1, "oper', b"", b"\xff", b'{"step": 1,}'])
def test_says_where_a_line_is_no_json(tmp_path: Path, line: bytes) -> None:
    """A line in the middle that is no JSON is refused, with its file and number."""
    path = written(tmp_path, line + b"\n", b'{"step": 1, "operation": "ring"}\n')

    with pytest.raises(BadTrace, match=r"run\.jsonl:2: not JSON .*one JSON object a line"):
        trace.read(path, Desk.kinds())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{}", "no trace header; a trace begins with a line made by threadline"),
        (
            b'{"step": 1, "operation": "ring"}',
            "no trace header; a trace begins with a line made by threadline",
        ),
        (
            b'{"threadline": 2}',
            "a trace of format 2, and this version reads up to 1; "
            "replay it with the version of threadline that wrote it, or a newer one",
        ),
        (
            b'{"threadline": true}',
            "a trace of format True, and this version reads up to 1; "
            "replay it with the version of threadline that wrote it, or a newer one",
        ),
        (b'{"threadline": 1, "contract": "desk"}', "the header has no 'driver'; add it"),
        (
            b'{"threadline": 1, "contract": "desk", "driver": 5}',
            "the header has 5 for 'driver'; write text",
        ),
        (
            b'{"threadline": 1, "contract": "desk", "driver": "d", "seed": true}',
            "the header has True for 'seed'; write a whole number",
        ),
        (
            b'{"threadline": 1, "contract": "desk", "driver": "d", "settings": {"size": {}}}',
            'the argument size cannot be read: {} is no handle; write {"handle": "c_7"}',
        ),
        (
            b'{"threadline": 1, "contract": "desk", "driver": "d", "settings": [1]}',
            "the header has [1] for 'settings'; write a JSON object",
        ),
    ],
)
def test_says_what_is_wrong_with_a_header(tmp_path: Path, line: bytes, message: str) -> None:
    """A first line that is no header of this version is refused, with what to do."""
    path = tmp_path / "run.jsonl"
    path.write_bytes(line + b"\n")

    with pytest.raises(BadTrace) as raised:
        trace.read(path, Desk.kinds())

    assert str(raised.value) == f"{path}:1: {message}"


def test_says_that_an_empty_file_is_no_trace(tmp_path: Path) -> None:
    """A file with nothing in it is no trace."""
    path = tmp_path / "run.jsonl"
    path.touch()

    with pytest.raises(BadTrace, match=r"run\.jsonl:1: not JSON .*one JSON object a line"):
        trace.read(path, Desk.kinds())


def test_refuses_settings_that_no_trace_can_hold() -> None:
    """Settings are written as arguments are: what JSON has no place for is refused."""
    header = replace(Header("desk", "tests.toys.desk:DeskDriver"), settings={"sizes": {1, 2}})

    with pytest.raises(TypeError, match="a value of type set has no place in a trace"):
        header.line()


def test_tells_a_handle_from_text(tmp_path: Path) -> None:
    """Text that looks like a handle is read as text."""
    path = tmp_path / "run.jsonl"
    path.write_bytes(
        Trace(Header("s", "d"), ((1, Script.call("c_7")), (2, Desk.press(1)))).encoded()
    )

    assert trace.read(path, {**Script.kinds(), **Desk.kinds()}).operations[0] == (
        1,
        Script.call("c_7"),
    )


def test_shows_a_policy_by_its_fields() -> None:
    """A policy that is a dataclass is written by the names of its fields."""
    assert trace.plain(Policy(shared=False)) == {
        "shared": False,
        "durable": True,
        "clear_deletes": False,
    }


def test_shows_no_policy_as_nothing() -> None:
    """A driver without a policy has an empty one in its header."""
    assert trace.plain(None) == {}


def test_leaves_out_the_version_of_what_is_not_installed() -> None:
    """Versions are told of what is installed."""
    assert trace.versions(["no-such-distribution"]).keys() == {"python"}


@pytest.mark.parametrize(
    ("text", "failure", "alike"),
    [
        ("memory-wait", "memory-wait", True),
        ("memory-wait", "memory-wait.timers", True),
        ("memory-wait.timers", "memory-wait.timers", True),
        ("memory-wait.timers", "memory-wait.tasks", False),
        ("memory-wait.timers", "memory-wait", False),
        ("memory-wait", "memory-waiting", False),
        ("memory-wait", "continuity-wait", False),
    ],
)
def test_an_old_signature_is_the_beginning_of_a_new_one(
    text: str, failure: str, *, alike: bool
) -> None:
    """Before it told where, a signature was of two parts."""
    assert trace.is_signature_of(text, failure) is alike


def test_says_whether_its_file_was_cut(tmp_path: Path) -> None:
    """A trace knows that a line was left out, and is equal to one that never had it."""
    whole = trace.read(written(tmp_path, b'{"step": 1, "operation": "ring"}\n'), Desk.kinds())
    cut = trace.read(
        written(tmp_path, b'{"step": 1, "operation": "ring"}\n', b'{"step": 2, "op'), Desk.kinds()
    )

    assert (whole.is_cut, cut.is_cut) == (False, True)
    assert whole == cut
