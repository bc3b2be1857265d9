"""The page of a campaign in a browser: what a reader does with it, and what a system cannot do."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from threadline.report.page import page_of
from threadline.report.record import Record

from tests.browser import CHROMIUM, Tab, chromium
from tests.project import ROOT
from tests.report_records import STORED, at_once, failure_of, hostile, leak, record

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no chromium; apt-get install chromium"
)
HANG_S = 600
SEEN = "[...document.querySelectorAll('.failure')].filter(f => f.offsetParent).map(f => f.id)"
# The least contrast of any text with what is behind it, and the text.
CONTRAST = """(() => {
  const channel = (v) => (v /= 255, v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const numbers = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (one) => {
    for (; one; one = one.parentElement) {
      const own = numbers(getComputedStyle(one).backgroundColor);
      if (own.length === 3 || own[3] > 0) return own;
    }
  };
  let worst = [99, ""];
  for (const each of document.querySelectorAll("body *")) {
    const own = [...each.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own || !each.getClientRects().length) continue;
    const style = getComputedStyle(each), is_drawn = each.closest("svg");
    const box = is_drawn && each.parentElement.querySelector(":scope > rect.head");
    const ground = box ? numbers(getComputedStyle(box).fill) : behind(each);
    const [a, b] = [light(numbers(is_drawn ? style.fill : style.color)), light(ground)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < worst[0]) worst = [ratio, each.textContent.slice(0, 60)];
  }
  return worst;
})()"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with chromium(tmp_path_factory.mktemp("chromium")) as tab:
        yield tab


@pytest.fixture
def tab(browser: Tab) -> Tab:
    browser.said.clear()
    browser.asked.clear()
    return browser


def page(folder: Path, made: Record) -> Path:
    path = folder / "index.html"
    path.write_text(page_of(made), "utf-8")
    return path


@pytest.fixture
def five(tmp_path: Path) -> Path:
    """Make the page of a campaign with five failures, one of them a leak."""
    return page(tmp_path, record(*map(failure_of, STORED), leak()))


def test_a_reader_finds_the_failure_and_plays_it_again(tab: Tab, five: Path) -> None:
    """Open, filter from the keyboard, press Copy, and run what was copied: it fails as it says."""
    tab.open(five)
    tab.press("/")
    tab.type("isolation diverges")
    seen = tab.ask(SEEN)
    tab.click("#f1 [data-copies]")
    copied = tab.ask("navigator.clipboard.readText()")
    words = shlex.split(copied.removeprefix("uv run "))
    again = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=ROOT, capture_output=True, text=True, timeout=HANG_S,
    )  # fmt: skip

    assert seen == ["f1"]
    assert tab.ask("document.getElementById('hits').textContent") == "1 of 5"
    assert tab.ask("document.querySelector('#f1 .said').textContent") == "Copied"
    assert again.returncode == 1, again.stderr
    assert "isolation: get(user='ana', thread=None, run=None) diverges at step 2" in again.stdout


def test_a_command_is_selected_where_it_cannot_be_copied(tab: Tab, five: Path) -> None:
    """A browser may refuse its clipboard: then the reader has the text selected, and is told so."""
    tab.open(five)
    tab.ask("navigator.clipboard.writeText = () => Promise.reject(new Error('refused'))")
    tab.click("#f2 [data-copies]")

    command = tab.ask("document.getElementById('c2').textContent")
    assert tab.ask("getSelection().toString()") == command
    assert "Ctrl+C" in tab.ask("document.querySelector('#f2 .said').textContent")


def test_the_keyboard_alone_is_enough(tab: Tab, five: Path) -> None:
    """`j` and `k` go from failure to failure, past what is filtered; `c` copies; Escape clears."""
    tab.open(five)
    for key in "jjjk":
        tab.press(key)
    tab.press("c")

    assert tab.ask("document.activeElement.id") == "f2"
    assert tab.ask("navigator.clipboard.readText()") == failure_of(STORED[1]).replay

    tab.press("/")
    tab.type("nothing has this")
    assert tab.ask(SEEN) == []
    tab.press("Escape")
    assert len(tab.ask(SEEN)) == 5


@pytest.mark.parametrize("width", [375, 1440])
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_and_can_be_read(tab: Tab, five: Path, width: int, dark: bool) -> None:
    """No page is wider than its window, and every text has the contrast that WCAG AA asks for."""
    tab.open(five, width=width, dark=dark)
    tab.ask("document.querySelectorAll('details').forEach(each => each.open = true)")
    ratio, text = tab.ask(CONTRAST)

    assert tab.ask("document.documentElement.scrollWidth - innerWidth") <= 0
    assert ratio >= 4.5, text


@pytest.mark.parametrize("width", [375, 1440])
def test_one_diagram_is_drawn(tab: Tab, five: Path, width: int) -> None:
    """Each failure has the diagram that fits the window, with all of its text within it."""
    tab.open(five, width=width)
    seen = "[...document.querySelectorAll('svg.sequence')].filter(s => s.getClientRects().length)"
    over = (
        f"{seen}.flatMap(s => [...s.querySelectorAll('text')].map(t => {{ const b = t.getBBox();"
        " return [b.x + b.width - s.viewBox.baseVal.width, t.textContent] }))"
        ".filter(each => each[0] > 0)"
    )

    assert tab.ask(f"{seen}.length") == 5
    assert tab.ask(over) == []


@pytest.mark.parametrize("width", [375, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_lanes_fit_and_can_be_read(tab: Tab, tmp_path: Path, width: int, dark: bool) -> None:
    """Operations at once have one diagram of lanes that fits, within which is all of it."""
    tab.open(page(tmp_path, record(at_once())), width=width, dark=dark)
    seen = "[...document.querySelectorAll('svg.lanes')].filter(s => s.getClientRects().length)"
    over = (
        f"{seen}.flatMap(s => [...s.querySelectorAll('text, rect')].map(t => {{ const b ="
        " t.getBBox(); return b.x + b.width - s.viewBox.baseVal.width }))"
    )
    ratio, text = tab.ask(CONTRAST)

    assert tab.ask(f"{seen}.length") == 1
    assert max(tab.ask(over)) <= 0
    assert tab.ask("document.documentElement.scrollWidth - innerWidth") <= 0
    assert tab.ask(f"getComputedStyle({seen}[0].querySelector('.runs')).fill") != "rgb(0, 0, 0)"
    assert ratio >= 4.5, text


def test_plots_are_drawn_without_any_network(tab: Tab, five: Path) -> None:
    """All plots are there; the page asks for itself alone, and breaks nothing of its policy."""
    tab.open(five)

    assert tab.ask("document.querySelectorAll('.plot canvas').length") == 5
    assert tab.asked == [five.as_uri()]
    assert tab.said == []


@pytest.mark.parametrize("failures", [0, 1, 30])
def test_any_number_of_failures_makes_a_page(tab: Tab, tmp_path: Path, failures: int) -> None:
    """With none, one and many of them, it opens and has each."""
    path = page(tmp_path, record(*[failure_of(STORED[0])] * failures))
    tab.open(path)

    assert len(tab.ask(SEEN)) == failures
    assert tab.said == []
    assert path.stat().st_size < 5_000_000


def test_nothing_that_a_system_says_acts(tab: Tab, tmp_path: Path) -> None:
    """Markup stays text, control characters are seen, and 30 failures of a megabyte are cut."""
    path = page(tmp_path, hostile())
    tab.open(path)
    text = tab.ask("document.body.innerText")

    assert tab.ask("document.querySelectorAll('img').length") == 0
    assert tab.ask("document.scripts.length") == 2
    assert tab.said == []
    assert tab.asked == [path.as_uri()]
    assert [each for each in set(text) if not each.isprintable()] in (["\n", "\t"], ["\t", "\n"])
    assert "onerror=alert(1)" in text
    assert path.stat().st_size < 5_000_000


def test_only_its_own_script_may_run(tab: Tab, five: Path) -> None:
    """A script that got into the page after all is refused by the policy of the page."""
    text = five.read_text("utf-8").replace("<main>", "<main><script>window.got = 1</script>", 1)
    five.write_text(text, "utf-8")
    tab.open(five)

    assert tab.ask("window.got === undefined")
    assert any("Content Security Policy" in each for each in tab.said)


def test_the_data_of_plots_is_json(tab: Tab, five: Path) -> None:
    """What the script reads is data, whatever names it has."""
    tab.open(five)
    plots = json.loads(tab.ask("document.getElementById('data').textContent"))

    assert [plot["title"] for plot in plots][:2] == [
        "Steps per second",
        "Memory of each worker, MiB",
    ]
