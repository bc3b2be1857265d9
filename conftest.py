"""Wiring: the fixtures that tests in several files share, what is compiled, and figures told."""

import pytest

from tests import compiled
from tests.project import project

__all__ = ["project"]

compiled.begin()


def pytest_collection_finish() -> None:
    compiled.end()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the lines that tests of `tests/outside` took down, in the order of their ends."""
    reports = [
        report
        for found in terminalreporter.stats.values()
        for report in found
        if isinstance(report, pytest.TestReport) and report.when == "call"
    ]
    lines = [
        line for report in reports for name, line in report.user_properties if name == "figures"
    ]
    if lines:
        terminalreporter.section("figures")
        for line in lines:
            terminalreporter.line(str(line))
