"""What the session manager costs: the parts of a step, and a get among many sessions."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import islice
from typing import Any

from threadline import Census
from threadline.history import Step
from threadline.loading import Target
from threadline.lockstep.lockstep import Lockstep
from threadline.lockstep.outcomes import actual_of, expected_of
from threadline.lockstep.renaming import Renaming
from threadline.lockstep.run import Runs
from threadline.outcome import Ok
from threadline.search.explore import Explorer

from drivers.sessions import SessionsDriver
from models.session_manager import SessionManagerModel
from scenarios.conversation import Conversation
from sessions import ChatSystem
from tests.bench.costs import Costs, derived_us, opened
from tests.bench.costs import by_hand_us as machine_us
from tests.bench.manager_by_hand import ByHand

RUNS = 60
FEW, MANY = 10, 100_000  # live sessions
THREADS = 10  # of each user
GETS = 20_000

MANAGER = Target("sessions", SessionsDriver, SessionsDriver)

History = list[Step]


class BlindModel(SessionManagerModel):
    """A model that is asked for no census."""

    invariants = ()

    def census(self) -> Census:
        return {}


class BlindDriver(SessionsDriver):
    """A driver that is asked for no census."""

    model = BlindModel

    def census(self) -> Census:
        return {}


class KeptRuns(Runs):
    """Runs of which the histories are kept."""

    histories: list[History]

    @contextmanager
    def open(
        self, header: bytes, settings: Mapping[str, object], **more: Any
    ) -> Iterator[Lockstep]:
        with super().open(header, settings, **more) as lockstep:
            yield lockstep
            self.histories.append(lockstep.steps)


def recorded() -> list[History]:
    """Return the histories of the runs that `explored_us` measures."""
    with opened(MANAGER) as (runs, header):
        kept = KeptRuns(runs.target, runs.recorder, runs.warned)
        kept.histories = []
        for _ in islice(Explorer(Conversation, kept, header).batches(), RUNS):
            pass
        return kept.histories


def explored_us() -> float:
    """Return the microseconds a step of everything: drawn, recorded, stepped and compared."""
    with opened(MANAGER) as (runs, header):
        batches = Explorer(Conversation, runs, header).batches()
        began = time.perf_counter()
        steps = sum(batch.steps for batch in islice(batches, RUNS))
        return (time.perf_counter() - began) / steps * 1e6


def stepped_us(histories: list[History], *, with_census: bool) -> float:
    """Return the microseconds a step of the lockstep alone, with or without both censuses."""
    make = SessionsDriver if with_census else BlindDriver
    began = time.perf_counter()
    for history in histories:
        with closing(make()) as driver:
            lockstep = Lockstep(driver.model(), driver)
            for step in history:
                lockstep.step(step.number, step.operation)
    return _us_a_step(time.perf_counter() - began, histories)


def modelled_us(histories: list[History]) -> float:
    """Return the microseconds a step of the model, a fresh one for each run included."""
    began = time.perf_counter()
    for history in histories:
        model = SessionManagerModel()
        for step in history:
            expected_of(model.at(step.number), step.operation)
    return _us_a_step(time.perf_counter() - began, histories)


def called_us(histories: list[History]) -> float:
    """Return the microseconds a step of the driver's calls, opening and closing included.

    The clock stands while ids are put in place of handles, for each system makes its own.
    """
    spent_s = 0.0
    for history in histories:
        renaming = Renaming()
        began = time.perf_counter()
        driver = SessionsDriver()
        spent_s += time.perf_counter() - began
        for step in history:
            operation = step.operation.resolved(renaming.real)
            began = time.perf_counter()
            outcome = actual_of(driver, operation)
            spent_s += time.perf_counter() - began
            if isinstance(outcome, Ok) and isinstance(step.expected, Ok):
                renaming.binds(step.expected.value, outcome.value)
        began = time.perf_counter()
        driver.close()
        spent_s += time.perf_counter() - began
    return _us_a_step(spent_s, histories)


def costs_of_steps() -> Costs:
    histories = recorded()
    return {
        "explored": explored_us,
        "stepped": lambda: stepped_us(histories, with_census=True),
        "blind": lambda: stepped_us(histories, with_census=False),
        "model": lambda: modelled_us(histories),
        "system": lambda: called_us(histories),
        "derived": lambda: derived_us(Conversation, MANAGER),
        "by hand": lambda: machine_us(ByHand),
    }


def costs_of_gets() -> Costs:
    few, many = _system_of(FEW), _system_of(MANY)
    return {"few": lambda: got_us(few), "many": lambda: got_us(many)}


def got_us(system: ChatSystem) -> float:
    """Return the microseconds that a get takes, of each thread of one user in turn."""
    get = system.contexts.get_user_execution_context
    began = time.perf_counter()
    for number in range(GETS):
        get("user 0", f"thread {number % THREADS}")
    return (time.perf_counter() - began) / GETS * 1e6


def _system_of(sessions: int) -> ChatSystem:
    """Return a system of so many live sessions, of THREADS for each user."""
    system = ChatSystem()
    for number in range(sessions):
        user, thread = divmod(number, THREADS)
        system.contexts.get_user_execution_context(f"user {user}", f"thread {thread}")
    assert len(system.census().sessions) == sessions
    return system


def _us_a_step(spent_s: float, histories: list[History]) -> float:
    return spent_s / sum(map(len, histories)) * 1e6
