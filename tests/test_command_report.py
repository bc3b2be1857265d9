"""`threadline report` and `threadline compare`: what they print, write and exit with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from threadline.cli.command import threadline
from threadline.report.record import Record
from threadline.report.write import write_report

from tests.doc_pages import page
from tests.report_records import failure_of, hostile, leak, record

COLUMNS = 80


@pytest.fixture(autouse=True)
def _outside_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the replay command the same whether or not uv has started the tests."""
    monkeypatch.delenv("UV_RUN_RECURSION_DEPTH", raising=False)
    failure_of.cache_clear()
    leak.cache_clear()


def run(*words: str) -> Result:
    return CliRunner().invoke(threadline, words)


def stored(folder: Path, made: Record) -> str:
    folder.mkdir()
    write_report(made, folder)
    return str(folder)


def test_report_makes_the_page_again(tmp_path: Path) -> None:
    """From run.json alone, which stays as it is, with fields of a later version."""
    folder = tmp_path / "run"
    stored(folder, record(failure_of("ids-collide")))
    of_later = (folder / "run.json").read_text("utf-8").replace("{", '{"of_later": 1,', 1)
    (folder / "run.json").write_text(of_later, "utf-8")
    kept = (folder / "run.json").read_bytes()
    for name in ("index.html", "summary.md", "junit.xml"):
        (folder / name).unlink()
    result = run("report", str(folder / "run.json"))

    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[-1] == f"page: {folder / 'index.html'}"
    assert (folder / "run.json").read_bytes() == kept
    assert all((folder / name).stat().st_size for name in ("index.html", "summary.md", "junit.xml"))


def test_report_prints_the_summary_in_80_columns(tmp_path: Path) -> None:
    """Verdict, failures with their commands, known ones, and what was not reached."""
    result = run("report", stored(tmp_path / "run", record(failure_of("ids-collide"))))
    lines = result.output.splitlines()

    assert lines[0] == ("20261126T020000Z-7: failed: 1 unaccepted failures, 1 for the first time")
    assert "  new:     isolation-get.thread, 2 steps, scenarios.keys:Keys" in lines
    assert f"  replay:  {failure_of('ids-collide').replay}" in lines
    assert "  known:   keys-create: to be fixed in May" in lines
    assert "  missed:  drivers.sessions:SessionsDriver: never called: sweep" in lines
    assert [line for line in lines[:-1] if len(line) > COLUMNS and "replay" not in line] == []


def test_report_says_what_cannot_be_written(tmp_path: Path) -> None:
    """And exits with 1; the rest is written."""
    folder = tmp_path / "run"
    stored(folder, record())
    (folder / "index.html").unlink()
    (folder / "index.html").mkdir()
    result = run("report", str(folder))

    assert result.exit_code == 1
    assert f"{folder / 'index.html'} cannot be written" in result.output


def test_report_of_a_hostile_record_is_printable(tmp_path: Path) -> None:
    """Nothing of a system reaches the terminal as it is."""
    made = hostile()
    one = replace(made.failures[0], text="x", lines="x", also=())
    result = run("report", stored(tmp_path / "run", replace(made, failures=(one,), notes=())))

    assert result.exit_code == 0, result.output
    assert all(line.isprintable() for line in result.output.splitlines())


@pytest.mark.parametrize("command", [["report"], ["compare", "."]])
def test_what_is_no_campaign_is_told_in_a_line(tmp_path: Path, command: list[str]) -> None:
    """With status 2, and what to give instead."""
    result = run(*command, str(tmp_path))

    assert result.exit_code == 2
    assert "give the folder of a campaign" in result.output


def test_compare_tells_new_from_old(tmp_path: Path) -> None:
    """New failures with their command, then those that stay, and those that are gone."""
    before = record(failure_of("ids-collide"), failure_of("grace-never-ends"))
    after = replace(record(failure_of("ids-collide"), leak()), took_s=120.0)
    words = [stored(tmp_path / "before", before), stored(tmp_path / "after", after)]
    result = run("compare", *words)
    text = " ".join(result.output.split())

    assert result.exit_code == 1
    assert f"new: {leak().signature} in" in text
    assert leak().replay in result.output
    assert "still: isolation-get.thread in" in text
    assert "fixed: memory-wait.sessions in" in text
    assert "speed: 16 to 8 steps/s (-50 %)" in text
    assert result.output.splitlines()[-1] == "1 failure new, 1 fixed, 1 still there"
    assert page("docs/reports.md").block("  before:") == result.output.rstrip("\n")


def test_compare_exits_with_0_where_nothing_is_new(tmp_path: Path) -> None:
    """What was fixed, and what stays, fails nothing."""
    before = record(failure_of("ids-collide"), leak())
    scenario = record().scenarios[0]
    idle = replace(scenario, operations={"get": {"ok": 1}, "open": {"ok": 1}}, states=60)
    after = replace(record(leak()), scenarios=(idle,))
    words = [stored(tmp_path / "before", before), stored(tmp_path / "after", after)]
    result = run("compare", *words)

    assert result.exit_code == 0
    assert "  gained:  operations open" in result.output
    assert "  lost:    operations wait" in result.output
    assert "  states:  120 to 60 states (-50 %)" in result.output
