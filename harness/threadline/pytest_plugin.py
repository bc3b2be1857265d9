"""The pytest plugin: scenarios as tests, one each.

`pytest --threadline MODULE:NAME` plays every scenario of that driver; a scenario in a test file is
a test too, on the project's driver for its model. What is slow to load is imported when the first
scenario runs, so that other tests do not wait for it.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date
from functools import partial
from itertools import chain, islice, starmap
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from .campaign.profile import Profile
    from .failure import Divergence
    from .known import Known
    from .loading import Target
    from .lockstep.run import Batch, Runs
    from .scenario import Scenario
    from .trace import Header

SEED = pytest.StashKey[int]()
FOLDER = pytest.StashKey[Path]()
EXAMPLES = ".hypothesis/examples"  # where Hypothesis keeps what has failed, if nobody says where
PROFILES = ("quick", "ci", "nightly")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("threadline")
    group.addoption(
        "--threadline", metavar="MODULE:NAME", help="Play the scenarios of this driver as tests."
    )
    group.addoption(
        "--threadline-profile",
        choices=PROFILES,
        default="quick",
        help="How much scenarios try: quick, ci or nightly.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Fix the seed: Hypothesis's own option for it, or drawn once for all workers.

    Raises UsageError for a driver that leads nowhere.
    """
    if driver := config.getoption("--threadline"):
        from .loading import BadName, load_target
        from .printable import printable

        try:
            load_target(driver)
        except BadName as error:
            raise pytest.UsageError(printable(str(error))) from error
    inherited = getattr(config, "workerinput", {}).get("threadline_seed")
    given = config.getoption("--hypothesis-seed", None)
    chosen = inherited if inherited is not None else given
    config.stash[SEED] = int(chosen) if chosen is not None else secrets.randbits(32)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:  # a worker of pytest-xdist, which may be absent
    node.workerinput["threadline_seed"] = node.config.stash[SEED]


def pytest_report_header(config: pytest.Config) -> str | None:
    if not config.getoption("--threadline") and not any("scenarios" in a for a in config.args):
        return None
    profile, seed = config.getoption("--threadline-profile"), config.stash[SEED]
    return f"threadline: profile {profile}, seed {seed} (again with --hypothesis-seed={seed})"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add the scenarios of the driver given, but for those that were collected from files."""
    driver = config.getoption("--threadline")
    if not driver:
        return
    from .cli.cli_names import scenario_names
    from .defaults import read_defaults
    from .loading import load_scenario, load_target

    target = load_target(driver)
    there = {item.name for item in items if isinstance(item, ScenarioTest)}
    for name in scenario_names((), read_defaults(), target):
        scenario = load_scenario(name)
        test = f"{scenario.__name__}[{driver}]"
        if test not in there:
            file = Path(getattr(sys.modules[scenario.__module__], "__file__", "") or "threadline")
            item = ScenarioTest.from_parent(
                session,
                name=test,
                nodeid=f"{_relative(file, config.rootpath)}::{test}",
                scenario=scenario,
                scenario_name=name,
                target=target,
            )
            item.path = file
            items.append(item)


def _relative(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name


def pytest_pycollect_makeitem(
    collector: pytest.Module | pytest.Class, name: str, obj: object
) -> list[pytest.Item] | None:
    """Make each scenario that a test file defines a test, on the driver that fits it."""
    if "threadline.scenario" not in sys.modules or not isinstance(obj, type):
        return None
    from .scenario import Scenario

    if not issubclass(obj, Scenario):
        return None
    if obj.__module__ != collector.obj.__name__ or not hasattr(obj, "model"):
        return []  # imported from elsewhere, where it is collected once
    target = _target_for(obj, collector.config.getoption("--threadline"))
    if target is None:
        return []
    test = f"{name}[{target.name}]"
    scenario_name = f"{obj.__module__}:{obj.__name__}"
    return [
        ScenarioTest.from_parent(
            collector, name=test, scenario=obj, scenario_name=scenario_name, target=target
        )
    ]


def _target_for(scenario: type[Scenario[Any]], given: str | None) -> Target | None:
    """Return the driver given, if it is of the scenario's model; else the project's first."""
    from .defaults import read_defaults
    from .loading import first_target

    names = [given] if given else read_defaults().every_driver()
    return first_target(names, scenario)


class ScenarioTest(pytest.Item):
    """One scenario on one driver; fails with the text of every failure, each minimised."""

    def __init__(
        self, *, scenario: type[Scenario[Any]], scenario_name: str, target: Target, **more: Any
    ) -> None:
        super().__init__(**more)
        self._scenario = scenario
        self._scenario_name = scenario_name
        self._target = target

    def runtest(self) -> None:
        from .campaign.folder import tidy
        from .campaign.profile import PROFILES
        from .lockstep.recorders import warnings_recorded
        from .lockstep.run import Runs
        from .trace import Recorder

        profile = PROFILES[self.config.getoption("--threadline-profile")]
        folder = self._folder()
        running = folder / f"{self._scenario.__name__}-{os.getpid()}-running.jsonl"
        with warnings_recorded() as warned, closing(Recorder(running)) as recorder:
            runs = Runs(self._target, recorder, warned)
            divergences = self._divergences(runs, profile, folder)
            runs.close()
        tidy(folder, [running])
        if divergences:
            text = "\n\n".join(map(str, divergences))
            raise type(divergences[0])(divergences[0].failure, text)

    def _divergences(self, runs: Runs, profile: Profile, folder: Path) -> list[Divergence]:
        """Play explore, then Hypothesis; return each failure, minimised and saved.

        Explore finds more in the same time, Hypothesis remembers: its examples are kept in its own
        database, and those that have failed are played again first.
        """
        from .campaign.events import Shorter
        from .campaign.findings import Findings
        from .failure import divergence_type
        from .minimise.alone import alone
        from .printable import file_name
        from .report.known_text import KnownText
        from .search.explore import Explorer

        explorer = Explorer(self._scenario, runs, self._header(profile, "explore"))
        known = self._known()

        def path(signature: str) -> Path:
            return folder / f"{file_name(f'{self._scenario.__name__}-{signature}')}.jsonl"

        driver = self._target.name
        findings = Findings(runs, self._scenario, path, entries=known, driver=driver)
        told: dict[str, Divergence] = {}
        steps = 0
        explored = islice(explorer.batches(), profile.runs)
        played = chain(explored, self._examples(runs, profile, known))
        for batch in map(partial(alone, runs), played):
            steps += batch.steps
            failure = batch.failure
            for event in findings.add(batch, failure) if failure else ():
                is_new = not findings.is_known(event.signature)
                if isinstance(event, Shorter) and failure and is_new:
                    kind = divergence_type(failure.signature)
                    told[event.signature] = kind(failure, event.text)
        if findings.known:
            lines = starmap(KnownText(known).came, findings.known.items())
            self.add_report_section("call", "threadline", "\n".join(lines))
        if not steps:
            self._fail_of_nothing(profile.runs, explorer.unused())
        return list(told.values())

    def _known(self) -> list[Known]:
        from .known import known_file, known_on

        file = known_file(self.config.rootpath)
        own = self._target.driver.known
        return known_on(self._target.name, own, file, date.today())[0]

    def _examples(self, runs: Runs, profile: Profile, known: Sequence[Known]) -> Iterator[Batch]:
        from .defaults import read_defaults
        from .search.machine import Chunks, examples_at

        kept = examples_at(read_defaults(self.config.rootpath).examples or EXAMPLES)
        header = self._header(profile, "hypothesis")
        chunks = Chunks(self._scenario, runs, header, known=known, **kept)
        return chunks.batches(runs_max=profile.examples)

    def _fail_of_nothing(self, runs: int, unused: list[str]) -> NoReturn:
        """Fail: no step was taken, so that nothing is known of the system."""
        from .report.terminal import nothing_tried

        lines = [nothing_tried(runs, unused), *(f"never fired: {line}" for line in unused)]
        pytest.fail("\n".join(lines), pytrace=False)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show a failure as a reader sees it, without a traceback; anything else as pytest does."""
        from .failure import Divergence

        if isinstance(excinfo.value, Divergence):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        return self.path, None, self.name

    def _header(self, profile: Profile, engine: str) -> Header:
        from .trace import Header, plain, versions

        return Header(
            contract=self._target.model.name,
            driver=self._target.name,
            scenario=self._scenario_name,
            policy=plain(self._target.policy),
            engine=engine,
            seed=self.config.stash[SEED],
            steps_max=profile.steps,
            versions=versions(),
            overlap=self._scenario.overlap,
        )

    def _folder(self) -> Path:
        """Return the folder of this pytest run, made when the first scenario needs it."""
        from .campaign.folder import make_folder

        stash = self.config.stash
        if FOLDER not in stash or not stash[FOLDER].is_dir():
            stash[FOLDER], _ = make_folder(stash[SEED])
        return stash[FOLDER]
