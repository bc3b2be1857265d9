"""The page of an analysis in a browser: each mutant in its place, and no network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from threadline.sight.page import page_of

from tests.browser import CHROMIUM, Tab, chromium
from tests.project import run

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no chromium; apt-get install chromium"
)
HOSTILE = "</script><script>document.title = 'taken'</script>"
SOURCE = f"def add(amount):\n    return amount > 0  # {HOSTILE}\n"
APP = "document.querySelector('mutation-test-report-app')"
# Of all open shadow roots, as textContent ends at each of them.
ALL_TEXT = """
(() => {
  const texts = [];
  const walk = (node) => {
    if (node.nodeType === Node.TEXT_NODE) texts.push(node.textContent);
    if (node.shadowRoot) walk(node.shadowRoot);
    if (node.nodeName !== "STYLE") node.childNodes.forEach(walk);
  };
  walk(%s);
  return texts.join(" ");
})()
"""


def document() -> dict[str, Any]:
    """Return a report of one file with one mutant that has survived."""
    location = {"start": {"line": 2, "column": 12}, "end": {"line": 2, "column": 22}}
    mutant = {
        "id": "1",
        "mutatorName": "boundary",
        "location": location,
        "status": "Survived",
        "replacement": "amount >= 0",
        "description": "in add",
        "statusReason": "300 runs",
    }
    return {
        "schemaVersion": "2",
        "thresholds": {"high": 80, "low": 60},
        "config": {"driver": "mine:MyChat"},
        "files": {"chat.py": {"language": "python", "source": SOURCE, "mutants": [mutant]}},
    }


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    folder = tmp_path_factory.mktemp("sight")
    page = folder / "sight.html"
    page.write_text(page_of(document()), "utf-8")
    with chromium(folder) as opened:
        opened.open(page)
        opened.ask(f"{APP}.updateComplete")
        yield opened


def shown(tab: Tab) -> str:
    """Return what is read on the page now, in one line."""
    drawn = "new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"
    tab.ask(drawn)
    return " ".join(str(tab.ask(ALL_TEXT % APP)).split())


@needs_chromium
def test_the_page_counts_by_file(tab: Tab) -> None:
    """
    The table is that of Stryker's component; the page asks for nothing beside itself.
    """
    said = shown(tab)

    assert "chat.py" in said
    assert "Mutation Score" in said
    assert [each for each in tab.asked if not each.startswith(("file:", "data:"))] == []
    assert tab.said == []


@needs_chromium
def test_the_page_shows_a_source_as_it_is(tab: Tab) -> None:
    """
    What stands in a source ends no script and runs nothing.
    """
    tab.ask("location.hash = '#mutant/chat.py'")
    tab.ask(f"{APP}.updateComplete")

    assert HOSTILE in shown(tab)
    assert "taken" not in str(tab.ask("document.title"))


def test_the_command_writes_the_page(project: Path) -> None:
    """
    It holds the report, and the licence of what it is made with.
    """
    words = ("--driver", "tests.toys.metered:MeteredDriver", "--package", "tests.toys.meter")
    sample = ("--scenario", "tests.toys.metered:Adding", "--sample", "2", "--runs", "2")

    result = run("sight", *words, *sample, "--seed", "1", "--page", "sight.html")

    page = (project / "sight.html").read_text("utf-8")
    assert "page: sight.html" in result.output
    assert '"schemaVersion": "2"' in page
    assert "Apache License" in page
