"""What README.md, the pages under docs/, the help and the sample say is what the program does."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import click
import pytest
from threadline.campaign.chance import PLAYS, PLAYS_MAX, VOTES
from threadline.campaign.job import ROUND_TRIP_EVERY
from threadline.campaign.profile import PROFILES
from threadline.cli.command import threadline
from threadline.cli.leaks import RUNS, STEPS
from threadline.history import WIDTH
from threadline.known import WANTED
from threadline.leaks.growth import CYCLES_MAX, EXACT_MAX, GROWTH_MAX
from threadline.leaks.reach import OBJECTS_MAX
from threadline.leaks.round_trip import OPERATIONS_MAX
from threadline.search.detour import CURIOUS, EARLIER
from threadline.search.policy import SHARES
from threadline.trace import FORMAT, Header

from sessions.__main__ import main as sessions_main
from tests.bench import scale
from tests.doc_pages import DOCS, PAGES, README, Page, page
from tests.project import ROOT, ran, run

COLUMNS_MAX = 110
ARCHITECTURE_LINES_MAX = 80
SAMPLE = "reports/sample/joined-keys.jsonl"
PLACEHOLDERS = {"TRACE", "FILE"}  # of a trace, in a command
# What a run or a reader makes, and is not in the repository.
MADE_LATER = {
    "reports/corpus",
    ".hypothesis/examples",
    "NAME.least.jsonl",
    "SCENARIO-running.jsonl",
    "SCENARIO-unfinished.jsonl",
    "chat.py",
    "known.toml",
    "known/",
    "mine.py",
    "equivalent.toml",
    "sight.json",
    "sight.html",
    "coverage.json",
    "reports/sight.jsonl",
    "test_NAME.py",
    "reports/runs/",
}
# What the page on leaks takes for the reader's own.
MY_STORE = "class Store:\n    pass\n"

COMMANDS = [(each, words) for each in PAGES for words in each.commands()]
INLINE_COMMANDS = [(each, words) for each in PAGES for words in each.inline_commands()]
HELPS = [text for each in PAGES for text in each.fenced() if text.startswith("Usage: threadline")]

every_page = pytest.mark.parametrize("each", PAGES, ids=str)
every_doc = pytest.mark.parametrize("each", DOCS, ids=str)


def without_times(text: str) -> str:
    """Return a kill table without its seconds, which differ, and without trailing spaces."""
    return re.sub(r" +\d+\.\d\d +", "  ", re.sub(r" +$", "", text, flags=re.MULTILINE))


def without_lines(text: str) -> str:
    """Return a report without its lines of code, which move, and differ with Python's version."""
    return re.sub(r"\w+\.py:\d+", "FILE:LINE", text)


def without_utc(text: str) -> str:
    """Return a text without the time in the folder of its campaign."""
    return re.sub(r"\d{8}T\d{6}Z", "<utc>", text)


def to_come(text: str) -> str:
    """Return a text with the day of a page's example put off, as an entry must end later."""
    return text.replace("2027-06-01", "2999-06-01")


def command_on(each: Page, driver: str) -> list[str]:
    """Return the words after `threadline` of the first command of a page on this driver."""
    return next(words[1:] for words in each.commands() if words[-1].endswith(driver))


def words_of(value: object) -> str:
    return " ".join(value[1]) if isinstance(value, tuple) else str(value)


@pytest.mark.slow
def test_the_leak_is_what_its_command_prints(project: Path) -> None:
    """The report on the page about leaks is printed by the command above it."""
    leaks = page("docs/leaks.md")

    output = run(*command_on(leaks, "KeepsEndedManagers")).output.replace(f"{ROOT}/", "")

    assert without_lines(leaks.block("LEAK ")) in without_lines(output)


def test_the_failure_on_its_page_is_what_replay_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The failure on the page about failures is printed by the command above it."""
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("UV_RUN_RECURSION_DEPTH", raising=False)
    failures = page("docs/failures.md")
    (words,) = failures.commands()

    result = run(*words[1:])

    assert result.exit_code == 1
    assert failures.block("isolation: ") in result.output


@pytest.mark.parametrize(
    ("target", "start"),
    [
        pytest.param("tests.mutants.store:ReadingCreates", "  also: ", marks=pytest.mark.slow),
        ("tests.toys.stores:AtRandomDriver", "  note: "),
        ("tests.toys.door:Standing", "standing: "),
    ],
)
def test_a_line_of_a_failure_is_what_fuzz_prints(project: Path, target: str, start: str) -> None:
    """
    What the page about failures shows beside one is printed by the command in the sentence above.
    """
    failures = page("docs/failures.md")
    words = next(words[1:] for words in failures.inline_commands() if target in words)

    result = run(*words)

    assert result.exit_code == 1
    assert failures.block(start) in without_utc(result.output)


def test_a_failure_is_accepted_as_its_page_says(project: Path) -> None:
    """
    The commands of the page write the entry that it shows; then the campaign passes, and tells it.
    """
    known = page("docs/known.md")
    (_, *fuzz), (_, *accept), *_ = known.commands()
    found = run(*fuzz)
    (trace,) = project.glob("reports/runs/*/*.jsonl")

    accepted = run("accept", str(trace), *(to_come(word) for word in accept[2:]))
    again = run(*fuzz)

    assert trace.name == Path(accept[1]).name
    assert [each.exit_code for each in (found, accepted, again)] == [1, 0, 0]
    written = (project / "known.toml").read_text("utf-8")
    assert written == to_come(known.block("[[known]]")) + "\n"
    assert to_come(known.block("store: known: ")) in again.output


def test_the_fields_of_a_known_failure_are_told() -> None:
    """The page about known failures has a row for each field that an entry can have."""
    rows = page("docs/known.md").table("field")

    assert sorted(row[0].strip("`") for row in rows) == sorted(WANTED)


@pytest.mark.slow
def test_the_kill_table_is_what_mutants_prints(project: Path) -> None:
    """The kill table is printed by `threadline mutants`, but for the seconds.

    Row by row, test_mutants.py holds it to what each hunt finds.
    """
    output = run("mutants").output

    assert without_times(page("docs/kill-table.md").block("mutant ")) in without_times(output)


@pytest.mark.parametrize(
    "words",
    [
        *([name, "--help"] for name in threadline.commands),
        ["scenarios"],
        ["scenarios", "--rules"],
        ["drivers"],
        ["check", "drivers.memory_store:MemoryStoreDriver"],
        ["check", "tests.mutants.store:PopsTheFirst"],
        ["replay", SAMPLE],
    ],
    ids=" ".join,
)
def test_output_fits_80_columns(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What the command prints is not folded by a terminal of 80 columns."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "80")

    lines = run(*words).output.splitlines()

    assert lines != []
    assert [line for line in lines if len(line) > 80] == []


def test_the_sample_is_what_replay_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample report is what `threadline replay` prints for the sample trace."""
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("UV_RUN_RECURSION_DEPTH", raising=False)

    result = run("replay", SAMPLE)

    assert result.output == Path(SAMPLE).with_suffix(".txt").read_text("utf-8")


def test_the_trace_on_its_page_is_the_sample() -> None:
    """The page about traces shows the sample whole, and its steps as the sample report does."""
    traces, sample = page("docs/traces.md"), ROOT / SAMPLE

    assert traces.block('{"threadline"') == sample.read_text("ascii").rstrip("\n")
    assert sample.with_suffix(".txt").read_text("utf-8").startswith(traces.block(SAMPLE))


def test_the_fields_of_a_header_are_told() -> None:
    """The page about traces has a row for each field that a header has, and for no other."""
    traces = page("docs/traces.md")
    named = [name for row in traces.table("header") for name in re.findall(r"`(\w+)`", row[0])]

    assert sorted(named) == sorted(["threadline", *Header.__slots__])
    assert f"the format: {FORMAT}." in traces.text


@pytest.mark.slow
def test_the_regression_test_on_its_page_guards(project: Path) -> None:
    """
    Kept as it stands on the page, it passes for a trace whose bug is fixed, and fails for another.
    """
    (code,) = page("docs/traces.md").fenced("python")
    trace = (ROOT / SAMPLE).read_text("ascii")
    folder = project / "tests/regressions"
    folder.mkdir(parents=True)
    (folder / "broken.jsonl").write_text(trace, "ascii")
    fixed = trace.replace("tests.mutants.store:JoinsKeys", "drivers.memory_store:MemoryStoreDriver")
    (folder / "fixed.jsonl").write_text(fixed, "ascii")
    (project / "tests/test_fixed.py").write_text(code, "utf-8")

    told = ran("pytest", "-v", "-p", "no:cacheprovider", "tests/test_fixed.py").stdout

    assert b"test_system_agrees_with_model[broken] FAILED" in told
    assert b"test_system_agrees_with_model[fixed] PASSED" in told


def test_the_profiles_are_told() -> None:
    """The page about engines has each profile with what it tries."""
    rows = page("docs/engines.md").table("profile")

    assert [(re.sub(r"`(\w+)`.*", r"\1", row[0]), *row[1:]) for row in rows] == [
        (each.name, f"{each.runs:,} runs", f"{each.examples:,} runs", f"length {each.depth}")
        for each in PROFILES.values()
    ]


def test_the_tactics_are_told() -> None:
    """The page about engines has each search policy with its share of the runs."""
    rows = page("docs/engines.md").table("search policy")

    assert {row[0].strip("`"): row[1] for row in rows} == {
        policy: f"{share} %" for policy, share in SHARES.items()
    }


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("leaks", f"how many runs of each scenario ({RUNS})"),
        ("leaks", f"the most steps of a run ({STEPS})"),
        ("leaks", f"is watched at most ({CYCLES_MAX:,})"),
        ("leaks", f"up to {CYCLES_MAX:,} cycles or by {GROWTH_MAX:,} entries"),
        ("leaks", f"decided within {EXACT_MAX} cycles"),
        ("leaks", f"{OPERATIONS_MAX:,} operations were not enough"),
        ("leaks", f"beyond the first {OBJECTS_MAX:,} objects"),
        ("engines", f"after one run in {ROUND_TRIP_EVERY}"),
        ("failures", f"Lines fold at {WIDTH} columns"),
        ("failures", f"Each failure is played {PLAYS} times more"),
        ("failures", f"by votes over up to {VOTES} plays"),
        ("failures", f"if any of {PLAYS_MAX} plays fails"),
        ("known", f"agreed in all of {PLAYS_MAX} plays"),
        ("known", f"{EARLIER * 100:.0f} % of the runs leave out another operation"),
        ("known", f"{CURIOUS * 100:.0f} % of the runs try again"),
    ],
)
def test_limits_are_told_as_they_are(name: str, sentence: str) -> None:
    """A number in a sentence is the constant of the program."""
    assert sentence in page(f"docs/{name}.md").text


@pytest.mark.parametrize("text", HELPS, ids=lambda text: text.partition("\n")[0])
def test_the_help_is_the_help(project: Path, text: str) -> None:
    """What a page shows of `--help` is what the command prints."""
    words = [word for word in text.splitlines()[0].split()[2:] if word in threadline.commands]

    assert text == run(*words, "--help").output.rstrip("\n")


@pytest.mark.parametrize("name", sorted(threadline.commands))
def test_each_command_is_on_a_page(name: str) -> None:
    """No subcommand is left out of the documentation."""
    assert any(f"threadline {name}" in each.text for each in PAGES)


@pytest.mark.parametrize("command", COMMANDS + INLINE_COMMANDS, ids=words_of)
def test_each_command_takes_its_options(
    command: tuple[Page, list[str]], pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command line can be parsed: no option is unknown, no command or module gone."""
    monkeypatch.chdir(ROOT)
    _, (program, *words) = command

    if program == "threadline":
        parse(threadline.commands[words[0]], words[1:])
    elif program == "pytest":
        for option in [word.partition("=")[0] for word in words if word.startswith("-")]:
            pytestconfig.getoption(option)  # raises for one that is unknown
    else:
        assert importlib.util.find_spec(words[1]) is not None
        if words[1] == "sessions":
            parse(sessions_main, words[2:])


def parse(command: click.Command, words: list[str]) -> None:
    """Parse the words of a command, with the sample where a trace is meant."""
    given = [SAMPLE if is_trace(word) else word for word in words]
    with click.Context(command) as context:
        assert command.parse_args(context, given) == []


def is_trace(word: str) -> bool:
    return word in PLACEHOLDERS or word.endswith(".jsonl")


@every_page
def test_each_option_exists(each: Page, pytestconfig: pytest.Config) -> None:
    """
    An option in a sentence is one of threadline's, of pytest's with our plugin, or the service's.
    """
    commands = [*threadline.commands.values(), threadline, sessions_main]
    ours = {option for one in commands for parameter in one.params for option in parameter.opts}
    named = {word for text in each.inline() for word in text.split() if word.startswith("--")}

    for option in sorted({word.partition("=")[0] for word in named} - ours - {"--help"}):
        pytestconfig.getoption(option)  # raises for one that is unknown


@every_doc
def test_the_code_of_each_page_runs(
    each: Page, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    What a page fences as Python can be run from top to bottom; test_wheel.py plays the README.
    """
    (project / "my_store.py").write_text(MY_STORE, "ascii")
    monkeypatch.syspath_prepend(project)
    code = "\n\n".join(each.fenced("python"))

    exec(compile(code, each.name, "exec"), {"__name__": "mine"})


@every_page
def test_each_link_leads_somewhere(each: Page) -> None:
    """A link to a page of ours finds the file, and the heading that it names."""
    here = (ROOT / each.name).parent
    for target in [link for link in each.links() if not link.startswith("https://")]:
        file, _, anchor = target.partition("#")
        found = (here / file).resolve() if file else ROOT / each.name

        assert found.exists(), target
        if anchor:
            assert anchor in page(found.relative_to(ROOT).as_posix()).anchors(), target


@every_page
def test_each_file_that_is_named_exists(each: Page) -> None:
    """A path in backticks is in the repository, or among what is made later."""
    named = [file for file in each.files() if file not in MADE_LATER]

    assert [file for file in named if not any(ROOT.glob(file))] == []


@every_page
def test_no_line_is_too_long(each: Page) -> None:
    """Sentences fold at 110 columns; tables and blocks are as wide as they must be."""
    lines = [line for line in each.prose.splitlines() if not line.startswith("|")]

    assert [line for line in lines if len(line) > COLUMNS_MAX] == []


@every_doc
def test_each_page_begins_with_its_title_and_is_linked(each: Page) -> None:
    """A page is found from the README, and says first what it is about."""
    assert each.text.startswith("# ")
    assert each.name in README.links()


def test_the_architecture_fits_its_page() -> None:
    """ARCHITECTURE.md has at most 80 lines."""
    lines = (ROOT / "ARCHITECTURE.md").read_text("utf-8").splitlines()

    assert len(lines) <= ARCHITECTURE_LINES_MAX


def test_the_worked_example_is_the_file_that_is_tested() -> None:
    """
    The cache on the page about contracts is tests/strangers/ttl_cache.py, of at most 90 lines.
    """
    cache = (ROOT / "tests/strangers/ttl_cache.py").read_text("utf-8")

    assert page("docs/contracts.md").fenced("python") == [cache.rstrip("\n")]
    assert cache.count("\n") <= 90


def test_the_simulation_on_its_page_is_what_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """The table about many workers is printed by the command above it."""
    scale.main()
    assert capsys.readouterr().out in page("docs/scale.md").text
