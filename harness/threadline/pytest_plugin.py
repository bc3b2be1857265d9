"""The pytest plugin: `pytest scenarios` runs each scenario as a test, on Hypothesis.

Hypothesis is imported when the first scenario runs, so that other tests do not wait for it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from .campaign.events import Shorter
from .campaign.folder import make_folder, tidy
from .campaign.profile import PROFILES, Profile
from .campaign.save_failure import keep
from .defaults import read_defaults
from .failure import Divergence, divergence_type
from .loading import BadName, Target, first_target, load_target
from .lockstep.run import Runs
from .lockstep.warning_recorder import warnings_recorded
from .scenario import Scenario
from .trace import Header, Recorder, plain, versions

SEED = pytest.StashKey[int]()
FOLDER = pytest.StashKey[Path]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("threadline")
    group.addoption("--driver", metavar="MODULE:NAME", help="How scenarios reach their system.")
    group.addoption(
        "--profile", choices=list(PROFILES), default="quick", help="How much scenarios try."
    )


def pytest_configure(config: pytest.Config) -> None:
    """Fix the seed: Hypothesis's own option for it, or drawn once for all workers.

    Raises UsageError for a driver that leads nowhere.
    """
    if driver := config.getoption("--driver"):
        try:
            load_target(driver)
        except BadName as error:
            raise pytest.UsageError(str(error)) from error
    inherited = getattr(config, "workerinput", {}).get("threadline_seed")
    given = config.getoption("--hypothesis-seed", None)
    chosen = inherited if inherited is not None else given
    config.stash[SEED] = int(chosen) if chosen is not None else secrets.randbits(32)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:  # a worker of pytest-xdist, which may be absent
    node.workerinput["threadline_seed"] = node.config.stash[SEED]


def pytest_report_header(config: pytest.Config) -> str | None:
    if not any("scenarios" in argument for argument in config.args):
        return None
    profile, seed = config.getoption("--profile"), config.stash[SEED]
    return f"threadline: profile {profile}, seed {seed} (again with --hypothesis-seed={seed})"


def pytest_pycollect_makeitem(
    collector: pytest.Module | pytest.Class, name: str, obj: object
) -> list[pytest.Item] | None:
    """Make each scenario that a module defines a test, on the driver that fits it."""
    if not (isinstance(obj, type) and issubclass(obj, Scenario)):
        return None
    if obj is Scenario or obj.__module__ != collector.obj.__name__ or not hasattr(obj, "contract"):
        return []  # imported from elsewhere, where it is collected once
    target = _target_for(obj, collector.config.getoption("--driver"))
    if target is None:
        return []
    test = f"{name}[{target.name}]"
    return [ScenarioTest.from_parent(collector, name=test, scenario=obj, target=target)]


def _target_for(scenario: type[Scenario], given: str | None) -> Target | None:
    """Return the driver given, if it keeps the scenario's contract; else the project's first."""
    names = [given] if given else read_defaults().every_driver()
    return first_target(names, scenario.contract)


class ScenarioTest(pytest.Item):
    """One scenario on one driver; fails with the text of every failure, each minimised."""

    def __init__(self, *, scenario: type[Scenario], target: Target, **more: Any) -> None:
        super().__init__(**more)
        self._scenario = scenario
        self._target = target

    def runtest(self) -> None:
        profile = PROFILES[self.config.getoption("--profile")]
        folder = self._folder()
        running = folder / f"{self._scenario.__name__}-{os.getpid()}-running.jsonl"
        with warnings_recorded() as warned, closing(Recorder(running)) as recorder:
            runs = Runs(self._target, recorder, warned)
            divergences = list(self._divergences(runs, profile, folder))
        tidy(folder, [running])
        if divergences:
            text = "\n\n".join(map(str, divergences))
            raise type(divergences[0])(divergences[0].failure, text)

    def _divergences(self, runs: Runs, profile: Profile, folder: Path) -> Iterator[Divergence]:
        """Yield each new failure as its Divergence, minimised and saved."""
        from hypothesis import Phase
        from hypothesis.database import DirectoryBasedExampleDatabase

        from .search.machine import Chunks

        # All but explaining, which plays thousands of runs more for what our own passes tell.
        phases = [phase for phase in Phase if phase is not Phase.explain]
        database = DirectoryBasedExampleDatabase(".hypothesis/examples")
        chunks = Chunks(
            self._scenario,
            runs,
            self._header(profile),
            database=database,
            phases=phases,
        )
        told: set[str] = set()
        for batch in chunks.batches(runs_max=profile.examples):
            failure = batch.failure
            if failure is None or str(failure.signature) in told:
                continue
            told.add(str(failure.signature))
            path = folder / f"{self._scenario.__name__}-{failure.signature}.jsonl"
            for event in keep(batch, failure, runs, self._scenario, path):
                if isinstance(event, Shorter):
                    yield divergence_type(failure.signature)(failure, event.text)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show a failure as a reader sees it, without a traceback; anything else as pytest does."""
        if isinstance(excinfo.value, Divergence):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        return self.path, None, self.name

    def _header(self, profile: Profile) -> Header:
        scenario = self._scenario
        return Header(
            contract=self._target.contract.name,
            driver=self._target.name,
            scenario=f"{scenario.__module__}:{scenario.__name__}",
            policy=plain(self._target.policy),
            engine="hypothesis",
            seed=self.config.stash[SEED],
            steps_max=profile.steps,
            versions=versions(),
        )

    def _folder(self) -> Path:
        """Return the folder of this pytest run, made when the first scenario needs it."""
        stash = self.config.stash
        if FOLDER not in stash or not stash[FOLDER].is_dir():
            stash[FOLDER], _ = make_folder(stash[SEED])
        return stash[FOLDER]
