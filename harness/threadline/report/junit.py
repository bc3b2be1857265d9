"""A campaign as junit.xml: a test case for each scenario, a failure for each signature."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from ..history import count
from ..printable import printable, printable_lines
from .record import FailureRecord, Record, ScenarioRecord

TEXT_MAX = 20_000  # characters of a failure; its trace has the rest


def junit_of(record: Record) -> str:
    """Return a campaign as the XML that CI servers read. Known failures are no failures there."""
    own = [_case(each, record) for each in record.scenarios]
    suite = Element("testsuite", name="threadline", timestamp=record.began.rstrip("Z"))
    suite.extend(own)
    for name, tag in (("failures", "failure"), ("errors", "error")):
        suite.set(name, str(sum(case.find(tag) is not None for case in own)))
    suite.set("tests", str(len(own)))
    suite.set("time", f"{record.took_s:.1f}")
    SubElement(suite, "system-out").text = printable(record.verdict)
    suites = Element("testsuites")
    suites.append(suite)
    indent(suites)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(suites, "unicode")}\n'


def _case(scenario: ScenarioRecord, record: Record) -> Element:
    case = Element(
        "testcase",
        classname=printable(scenario.driver),
        name=printable(scenario.name),
        time=f"{scenario.seconds:.1f}",
    )
    for failure in record.failures:
        of_it = (failure.scenario, failure.driver) == (scenario.name, scenario.driver)
        if of_it and failure.status == "new":
            case.append(_failure(failure))
    if scenario.is_unreached:
        SubElement(case, "skipped", message=printable(scenario.note[:TEXT_MAX]))
    elif scenario.steps == 0:
        why = scenario.note or f"nothing was tried: 0 steps in {count(scenario.runs, 'run')}"
        SubElement(case, "error", type="nothing tried", message=printable(why[:TEXT_MAX]))
    return case


def _failure(failure: FailureRecord) -> Element:
    found = Element(
        "failure",
        type=printable(failure.signature[:TEXT_MAX]),
        message=printable(failure.head[:TEXT_MAX]),
    )
    found.text = printable_lines(failure.text[:TEXT_MAX])
    return found
