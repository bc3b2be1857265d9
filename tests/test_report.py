"""What a campaign leaves for people and tools: run.json and its schema, summary, junit, diagram."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from jinja2 import UndefinedError
from threadline.play import is_played
from threadline.report import page, write
from threadline.report.compare import compared
from threadline.report.coverage import coverage_of
from threadline.report.junit import junit_of
from threadline.report.keeper import verdict_of
from threadline.report.lanes import lanes_svg
from threadline.report.page import page_of
from threadline.report.plots import plots_of
from threadline.report.record import (
    BadRecord,
    CorpusRecord,
    FailureRecord,
    KnownRecord,
    Night,
    Record,
    Sample,
    ScenarioRecord,
    read_record,
)
from threadline.report.sequence import NARROW, WIDE, differences, sequence_svg, wrapped
from threadline.report.summary import summary_of
from threadline.report.write import write_report

from tests.project import ROOT
from tests.report_records import (
    DRIVER,
    SCENARIO,
    STORED,
    at_once,
    failure_of,
    hostile,
    leak,
    record,
)

SCHEMA = ROOT / "harness/threadline/report/schema/run-1.json"
JOB_SUMMARY_MAX = 1024 * 1024  # bytes that GitHub takes
PARTS = (FailureRecord, ScenarioRecord, KnownRecord, Sample, Night, CorpusRecord)
EVERY = [*STORED, "leak"]


def some(name: str) -> FailureRecord:
    return leak() if name == "leak" else failure_of(name)


def five() -> Record:
    return record(*map(some, EVERY))


def schema() -> Any:
    return json.loads(SCHEMA.read_text("utf-8"))


def test_a_record_is_as_its_schema_says() -> None:
    """What is written is valid, with failures and without."""
    for made in (five(), record()):
        jsonschema.validate(json.loads(made.encoded()), schema())


@pytest.mark.parametrize(
    ("name", "value"), [("steps", "many"), ("signature", None), ("status", "odd")]
)
def test_the_schema_refuses_another_type(name: str, value: object) -> None:
    """A field of another type is no record."""
    values = json.loads(five().encoded())
    values["failures"][0][name] = value

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(values, schema())


@pytest.mark.parametrize(
    ("text", "head"),
    [
        (
            "keys: say(text='m1') diverges at\n  step 2\n  model:   ok",
            "keys: say(text='m1') diverges at step 2",
        ),
        (
            "keys: say(\n  text='m1')\n  diverges at step 12\n  model:   ok",
            "keys: say( text='m1') diverges at step 12",
        ),
        ("its process was killed\n  note:    a diverges at step 1", "its process was killed"),
    ],
)
def test_the_head_of_a_failure_is_whole(text: str, head: str) -> None:
    assert FailureRecord("s", "d", "w", "new", "", "", text).head == head


def test_the_schema_has_each_field() -> None:
    """No field is missing in it, and it has none that is not written."""
    assert set(schema()["properties"]) == {"schema", *(each.name for each in fields(Record))}
    assert {name: set(part["properties"]) for name, part in schema()["$defs"].items()} == {
        part.__name__: {each.name for each in fields(part)} for part in PARTS
    }


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Everything comes back, by folder and by file."""
    write_report(five(), tmp_path)

    assert read_record(tmp_path).encoded() == five().encoded()
    assert read_record(tmp_path / "run.json").failures[0] == five().failures[0]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "cannot be read"),
        ("[]", "is no record of a campaign"),
        ('{"schema": 99}', "has schema 99"),
        ('{"schema": 1}', "missing"),
        ('{"schema": 1, "seed": NaN}', "NaN is no number here"),
        ('{"schema": 1, "seed": "\\u202e"}', r"seed is '\u202e', where a number is expected"),
        ('{"schema": 1, "seed": true}', "where a number is expected"),
        ('{"schema": 1, "seed": 1' + "0" * 400 + "}", "where a number is expected"),
        ('{"schema": 1, "failures": {}}', "where a list is expected"),
        ('{"schema": 1, "failures": [1]}', "where an object is expected"),
        ('{"schema": 1, "name": 1}', "where a text is expected"),
        ("[" * 100_000, "cannot be read"),
    ],
)
def test_what_is_no_record_is_refused(tmp_path: Path, content: str, why: str) -> None:
    """With what is wrong, and no other exception."""
    (tmp_path / "run.json").write_text(content, "utf-8")

    with pytest.raises(BadRecord, match=re.escape(why)):
        read_record(tmp_path)


def test_the_verdict_is_the_first_line() -> None:
    """A reader of a CI job sees first whether it failed."""
    assert summary_of(five()).startswith(
        "**failed: 5 unaccepted failures, 5 for the first time**\n"
    )
    assert summary_of(record()).startswith("**passed: no unaccepted failure**\n")


def test_the_summary_has_what_is_to_be_done() -> None:
    """New failures with their steps and command, known and fixed ones, and what was not reached."""
    text = summary_of(five())

    assert "### isolation-get.thread (new)" in text
    assert "  ->  2  get(user='ana', thread=None, run=None)" in text
    assert "replay tests/regressions/ids-collide.jsonl" in text
    assert "| `keys-create` | known | 0 | to be fixed in May, until 2027-06-01 |" in text
    assert "| `isolation-read` | fixed |" in text
    assert f"- {DRIVER}: never called: sweep" in text


def test_a_summary_fits_a_jobs_page() -> None:
    """However much there is to tell, and nothing in it is markup of a system."""
    text = summary_of(hostile())

    assert len(text.encode("utf-8")) < JOB_SUMMARY_MAX
    outside = re.sub(r"```.*?```|`[^`]*`", "", text.replace(r"\`", ""), flags=re.DOTALL)
    assert "<img" not in outside
    assert all(line.isprintable() for line in text.splitlines())


def test_a_summary_of_long_failures_is_cut() -> None:
    """Of 30 that fill a screen each, what does not fit is counted; one line of a megabyte is cut,
    and what comes after it is there.
    """
    one = some("ids-collide")
    many = summary_of(record(*[replace(one, text="\n".join(["\u20ac" * 500] * 90))] * 30))
    single = summary_of(record(replace(one, text="x" * 1_000_000)))

    assert len(many.encode("utf-8")) < JOB_SUMMARY_MAX
    assert "characters more: see the page, or run.json." in many
    assert "## Played" in single
    assert len(single) < 10_000


def test_junit_has_a_case_for_each_scenario() -> None:
    """A failure for each signature in it; one without steps is an error."""
    idle = ScenarioRecord(name="a:Idle", driver=DRIVER)
    made = five()
    suite = ElementTree.fromstring(junit_of(replace(made, scenarios=(*made.scenarios, idle)))).find(
        "testsuite"
    )
    assert suite is not None
    played, nothing = suite.findall("testcase")

    assert (played.get("classname"), played.get("name")) == (DRIVER, SCENARIO)
    assert [each.get("type") for each in played.findall("failure")] == [
        some(name).signature for name in EVERY
    ]
    assert [each.get("type") for each in nothing.findall("error")] == ["nothing tried"]
    assert [suite.get(name) for name in ("tests", "failures", "errors")] == ["2", "1", "1"]


def test_junit_leaves_out_what_was_there_before() -> None:
    """A failure that a change has not brought does not fail its job."""
    made = record(replace(some("ids-collide"), status="before"))

    assert "<failure" not in junit_of(made)


def test_junit_is_xml_whatever_is_in_it() -> None:
    """Control characters have no place in XML, and come out escaped."""
    suites = ElementTree.fromstring(junit_of(hostile()))

    assert len(suites.findall(".//failure")) == 30


@pytest.mark.parametrize("name", EVERY)
def test_a_failure_has_the_shape_that_is_drawn(name: str) -> None:
    """As it was made, and after its way through JSON."""
    play = some(name).play

    assert is_played(play)
    assert is_played(json.loads(json.dumps(play)))


@pytest.mark.parametrize(
    "change",
    [
        {"steps": [{}]},
        {"steps": 1},
        {"signature": None},
        {"chain": [["one"]]},
        {"chain": [[1, 2]]},
        {"left_out": True},
        {"order": 1},
        {"lanes": {}},
        {"lanes": [{"number": 1, "call": "f()", "timing": "", "spans": [["#", 1, 1]]}]},
        {"lanes": [{"number": 1, "call": "f()", "timing": "", "spans": [["#", 0, 10**9]]}]},
    ],
)
def test_data_of_another_shape_is_not_drawn(change: Mapping[str, Any]) -> None:
    """The page has the failure's text instead."""
    one = some("ids-collide")
    play = {**one.play, **change}

    assert not is_played(play)
    assert '<svg class="sequence"' not in page_of(record(replace(one, play=play)))


def test_a_diagram_has_a_lane_for_each_user_and_connection() -> None:
    """In the order in which they act, the system last; whose a connection is stands with it."""
    svg = sequence_svg(some("loses-undelivered").play)

    assert re.findall("<title>([^<]*)</title>", svg) == ["ana", "k_1 (ana)", "system"]


@pytest.mark.parametrize("room", [WIDE, NARROW])
def test_a_diagram_marks_what_differs(room: Any) -> None:
    """On both sides, and by a sign as well as by colour."""
    svg = sequence_svg(some("ids-collide").play, room)

    assert re.findall('<tspan class="mark">([^<]*)</tspan>', svg)[:1] == ["t_2"]
    assert '<tspan class="mark">t_1</tspan>' in svg
    assert ">≠</text>" in svg


def test_a_leak_is_no_single_steps() -> None:
    """It is shown after the steps; no step of them fails, and nothing is marked word by word."""
    svg = sequence_svg(leak().play)

    assert "after each teardown" in svg
    assert "the step that fails" not in svg
    assert "tspan" not in svg
    assert "the step that fails" in sequence_svg(some("ids-collide").play)


def test_waits_are_drawn_to_scale() -> None:
    """One that is half as long is half as high."""
    play = some("grace-never-ends").play
    wait = next(step for step in play["steps"] if step["wait_s"])
    waits = [{**wait, "number": n, "wait_s": s} for n, s in ((1, 600.0), (2, 1200.0))]
    svg = sequence_svg({**play, "steps": waits})
    high = [int(each) for each in re.findall(r'class="wait" [^>]* height="(\d+)"', svg)]

    assert high == [55, 110]


def test_a_fault_is_drawn_as_long_as_it_lasts() -> None:
    """From the step that begins it to the one that ends it, along its own lane."""
    play = some("loses-undelivered").play
    cut = next(step for step in play["steps"] if step["is_fault"])
    quiet = {**cut, "is_fault": False, "until": 0}
    long, short = (
        sequence_svg(
            {
                **play,
                "steps": [
                    {**cut, "number": 1, "until": until},
                    *({**quiet, "number": n} for n in (2, 3, 4)),
                ],
            }
        )
        for until in (4, 2)
    )

    assert long.count("l-4,6") > 2 * short.count("l-4,6") > 0


def test_many_lanes_share_the_last() -> None:
    """A diagram keeps its width, however many act in it."""
    play = some("ids-collide").play
    steps = [{**play["steps"][0], "number": n, "actor": f"user{n}"} for n in range(40)]
    svg = sequence_svg({**play, "steps": steps})

    assert "<title>others</title>" in svg
    assert svg.count("<title>") == 7


@pytest.mark.parametrize("room", [WIDE, NARROW])
def test_operations_at_once_are_lanes(room: Any) -> None:
    """A bar where one runs, an empty one where it waits, a cross where it leaves, all to scale."""
    svg = lanes_svg(at_once().play, room)
    bars = re.findall(r'<rect class="(\w+) (?:bad)?" x="([\d.]+)" .*?width="([\d.]+)"', svg)
    ran = [(float(x), float(wide)) for kind, x, wide in bars[2:] if kind == "runs"]
    waited = [(float(x), float(wide)) for kind, x, wide in bars[2:] if kind == "waits"]
    tick, left = ran[0][1], waited[0][0]

    assert [kind for kind, *_ in bars[:2]] == ["runs", "waits"]  # what they mean
    assert [round((x - left) / tick) for x, _ in ran] == [5, 2, 12]
    assert [round((x - left) / tick) for x, _ in waited] == [0, 1, 3]
    assert [round(wide / tick) for _, wide in waited] == [5, 3, 9]
    assert svg.count('class="cut"') == 2
    assert re.findall('class="call bad strong"[^>]*>([^<]*)<', svg) == [
        "write(user=&#x27;ana&#x27;, text=&#x27;hi&#x27;)"
    ]


def test_a_long_wait_fits() -> None:
    """However many ticks a lane has, a diagram keeps its width."""
    play = at_once().play
    long = {**play["lanes"][0], "spans": [[".", 0, 9_999], ["#", 9_999, 10_000]]}
    svg = lanes_svg({**play, "lanes": [long]}, NARROW)
    bars = re.findall(r'<rect [^>]*x="([\d.]+)" [^>]*width="([\d.]+)"', svg)
    ends = [float(x) + float(wide) for x, wide in bars]

    assert max(ends) <= NARROW.width
    assert len(svg) < 3_000


def test_lanes_are_drawn_where_operations_overlap() -> None:
    """Any other failure has its steps alone."""
    assert '<svg class="lanes"' in page_of(record(at_once()))
    assert '<svg class="lanes"' not in page_of(five())


def test_differences_are_words() -> None:
    """What is alike before, between and after is not marked."""
    one, other = "ok, [t_2, 'b', r_2]", "ok, [t_11, 'b', r_2, 'c']"

    marks = differences(one, other)
    assert [one[begin:end] for begin, end in marks[0]] == ["t_2"]
    assert [other[begin:end] for begin, end in marks[1]] == ["t_11", ", 'c'"]


def test_wrapped_lines_are_the_whole_text() -> None:
    """Folded at a space where there is one, within the width."""
    text = "some words and onelongwordthatdoesnotfitanywhere end"
    lines = wrapped(text, 12)

    assert "".join(line for *_, line in lines) == text
    assert max(len(line) for *_, line in lines) <= 13
    assert lines[0][2] == "some words "


def test_operations_never_called_come_first() -> None:
    """An operation that one scenario has called is reached, whatever others do."""
    made = record()
    other = replace(made.scenarios[0], name="b:Other", operations={"sweep": {}, "get": {"ok": 1}})
    (one,) = coverage_of(replace(made, scenarios=(*made.scenarios, other)))

    assert [(row.kind, row.calls) for row in one.rows] == [("sweep", 0), ("wait", 31), ("get", 908)]
    assert one.never == ["sweep"]
    third = replace(other, operations={"sweep": {"ok": 2}})
    assert coverage_of(replace(made, scenarios=(*made.scenarios, third)))[0].never == []


def test_plots_have_speed_memory_and_nights() -> None:
    """Steps per second between samples; a line for each worker; the nights with this one last."""
    speed, memory, failures, steps, coverage = plots_of(five())

    assert speed["lines"][0]["y"][:3] == [40, 120, 200]
    assert [line["name"] for line in memory["lines"]] == ["keys", "keys-2"]
    assert [(line["name"], line["y"][-1]) for line in failures["lines"]] == [
        ("new", 5), ("known", 1), ("fixed", 1),
    ]  # fmt: skip
    assert steps["lines"][0]["y"][-2:] == [25_000, 938]
    assert [line["y"][-1] for line in coverage["lines"]] == [120, 6]


def test_a_page_is_the_same_each_time() -> None:
    """Nothing in it depends on when or where it was made."""
    assert page_of(five()) == page_of(five())


def test_each_file_is_written_on_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one cannot be written, the others are, nothing half-written is left, and it is told."""
    (tmp_path / "summary.md").mkdir()
    troubles = write_report(five(), tmp_path)

    assert [Path(line.partition(" ")[0]).name for line in troubles] == ["summary.md"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "index.html", "junit.xml", "run.json", "summary.md",
    ]  # fmt: skip


def test_a_page_that_cannot_be_made_leaves_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """run.json comes first, whatever is wrong with a template."""
    monkeypatch.setattr(page, "_file", lambda name: "{{ nobody.knows }}")

    with pytest.raises(UndefinedError):
        write_report(five(), tmp_path)

    assert next(iter(write.MADE)) == "run.json"
    assert read_record(tmp_path).failures


def test_a_failure_is_fixed_only_where_it_was_looked_for() -> None:
    """One of a scenario that was not played again is neither fixed nor still there."""
    collide, wait = some("ids-collide"), some("grace-never-ends")
    before = record(collide, replace(wait, scenario="a:Elsewhere"))
    after = record(leak())
    found = compared(before, after)

    assert [each.signature for each in found.new] == [leak().signature]
    assert [each.signature for each in found.fixed] == [collide.signature]
    assert [each.signature for each in found.unplayed] == [wait.signature]
    assert found.still == ()


def test_a_failure_under_another_signature_is_still_there() -> None:
    """What was seen as the same bug is no news."""
    collide = some("ids-collide")
    after = record(replace(collide, signature="isolation-get.run", also=(collide.signature,)))
    found = compared(record(collide), after)

    assert found.fixed == ()
    assert found.new == ()
    assert len(found.still) == 1


def test_one_bug_in_several_scenarios_is_one_signature() -> None:
    """The verdict says how many failures there are, and of how many signatures."""
    one, other = failure_of("joins-keys"), failure_of("pops-the-first")
    again = replace(one, scenario="elsewhere")

    several = verdict_of([one, again, other], [], "time over")
    assert several == "failed: 3 unaccepted failures of 2 signatures, 3 for the first time"
    assert verdict_of([one], [], "") == "failed: 1 unaccepted failure, 1 for the first time"
