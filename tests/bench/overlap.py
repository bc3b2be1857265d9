"""What overlap costs: a step of it beside a plain one, and the share of looking for an order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import cache
from itertools import cycle, islice
from statistics import median
from typing import Any, ClassVar

from fastapi import FastAPI
from threadline import Scenario, pool, rule
from threadline.asgi import Client
from threadline.loading import load_target
from threadline.lockstep.overlap import Overlap
from threadline.lockstep.run import Runs
from threadline.search import timings
from threadline.search.explore import Explorer
from threadline.trace import Header, Recorder

from scenarios.overlap import Overlap as Users
from scenarios.service_overlap import ServiceOverlap
from scenarios.stored_turns import TurnsAtOnce, TurnsCancelled
from tests.toys.api import Api, make_api
from tests.toys.racing import AtOnce, Desks

PAIRS = 5


FOUR = pool("ana", "ben", "cem", "dua")
REQUESTS = 30


class Clients(Scenario[Desks], bare=True):
    """Four clients who take and leave desks of a whole app, over HTTP."""

    overlap = True

    enter = rule(Desks.enter, user=FOUR)
    leave = rule(Desks.leave, user=FOUR)


SUBJECTS: tuple[tuple[str, type[Scenario[Any]], int], ...] = (
    ("tests.toys.racing:RightDriver", AtOnce, 300),
    ("tests.toys.api:Api", Clients, 100),
    ("drivers.sessions:SessionsDriver", Users, 100),
    ("drivers.stored_turns:StoredTurnsDriver", TurnsAtOnce, 40),
    ("drivers.stored_turns:StoredTurnsDriver", TurnsCancelled, 40),
    ("drivers.service:ServiceDriver", ServiceOverlap, 40),
)


def taken(
    driver: str, scenario: type[Scenario[Any]], runs: int, *, overlap: bool, steps_max: int = 50
) -> tuple[float, int]:
    """Return the seconds that so many runs of the same seed take, and their steps."""
    target = load_target(driver)
    header = Header(target.model.name, driver, seed=0, steps_max=steps_max, overlap=overlap)
    explorer = Explorer(scenario, Runs(target, Recorder(None)), header)
    began = time.perf_counter()
    steps = sum(batch.steps for batch in islice(explorer.batches(), runs))
    return time.perf_counter() - began, steps


async def called() -> None:
    """Make the app of `Clients`, and call it as often as a run of 30 steps, without Threadline."""

    async def no_io() -> None: ...

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b""}

    async def send(_: object) -> None: ...

    app, users = make_api(no_io, []), cycle(FOUR.constant or ())
    for method in islice(cycle(("POST", "DELETE")), REQUESTS):
        scope = {"type": "http", "http_version": "1.1", "scheme": "http", "headers": []}
        path = {"method": method, "path": f"/desks/{next(users)}", "query_string": b""}
        await app({**scope, **path}, receive, send)


class MadeOnce(Api):
    """Calls one app in all runs, as most are made where their module is imported."""

    now: ClassVar[list[MadeOnce]] = []  # whose run it is

    def __init__(self) -> None:
        self.now[:] = [self]
        self._log = []
        self._app = made_once()
        self._app.state.desks.clear()
        self._client = Client(self._app, self.io)
        self.pump.call(self._client.start())


@cache
def made_once() -> FastAPI:
    """Return the app of all runs, whose I/O is that of the driver that plays now."""

    async def io() -> None:
        await MadeOnce.now[0].io()

    return make_api(io, [])


def alone() -> tuple[float, float, float]:
    """Return the seconds that a run of `Clients` takes, with an app of its own and with one that is
    made once, and that its app takes by itself.
    """
    own, _ = taken("tests.toys.api:Api", Clients, 50, overlap=True, steps_max=REQUESTS)
    name = "tests.bench.overlap:MadeOnce"
    once, _ = taken(name, Clients, 50, overlap=True, steps_max=REQUESTS)
    began = time.perf_counter()
    for _ in range(50):
        asyncio.run(called())
    return own / 50, once / 50, (time.perf_counter() - began) / 50


class Spent:
    """Counts the seconds spent in a function."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.seconds = 0.0
        self.depth = 0
        self._function = function

    def __get__(self, owner: object, _: type) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            self.depth += 1
            began = time.perf_counter()
            try:
                return self._function(owner, *arguments, **more)
            finally:
                self.depth -= 1
                if not self.depth:
                    self.seconds += time.perf_counter() - began

        return call


def a_step(found: tuple[float, int]) -> float:
    seconds, steps = found
    return seconds / max(1, steps)


def main() -> None:
    """Print a table: medians of paired runs, and how much of a run the judging takes."""
    print(f"{'':38}{'plain':>8}{'calm':>8}{'drawn':>8}{'ratio':>7}{'judging':>9}")
    for driver, scenario, runs in SUBJECTS:
        plain, calm, drawn, shares = [], [], [], []
        for _ in range(PAIRS):
            plain.append(a_step(taken(driver, scenario, runs, overlap=False)))
            ways = dict(timings.WAYS)
            timings.WAYS.update(dict.fromkeys(ways, 0), calm=1)
            calm.append(a_step(taken(driver, scenario, runs, overlap=True)))
            timings.WAYS.update(ways)
            judged, kept = Spent(Overlap._compare_many), Overlap._compare_many
            Overlap._compare_many = judged  # type: ignore[assignment, method-assign]
            found = taken(driver, scenario, runs, overlap=True)
            drawn.append(a_step(found))
            Overlap._compare_many = kept  # type: ignore[method-assign]
            shares.append(judged.seconds / found[0])
        ratio = median(one / other for one, other in zip(calm, plain, strict=True))
        times = "".join(f"{median(each) * 1e6:>6.0f}us" for each in (plain, calm, drawn))
        print(f"{scenario.__name__:38}{times}{ratio:>7.2f}{median(shares):>9.1%}")
    rounds = zip(*(alone() for _ in range(PAIRS)), strict=True)
    own, once, app = (median(each) * 1_000 for each in rounds)
    print(f"a run of {REQUESTS} steps of Clients takes {own:.1f} ms, its app alone {app:.1f} ms;")
    print(f"with an app that is made once, it takes {once:.1f} ms")


if __name__ == "__main__":
    main()
