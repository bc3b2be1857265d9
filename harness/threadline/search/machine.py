"""The rule-based state machine that a scenario gives: the one file that imports Hypothesis."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import count
from random import Random
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity, stateful
from hypothesis import strategies as st
from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase
from hypothesis.errors import Flaky, InvalidDefinition
from hypothesis.internal.conjecture import providers

from ..failure import Divergence, Failure, Signature
from ..handle import Handle
from ..known import Known, covering
from ..loading import BadName
from ..lockstep.lockstep import Lockstep
from ..lockstep.outcomes import UNPLAYED
from ..lockstep.run import Batch, Runs
from ..pool import Now, Pool
from ..rule import Rule
from ..scenario import Scenario
from ..timing import BEGINS, CALM, Late, Timing
from ..trace import Header
from .unused import Tries, unused

# Their types speak of bundles, which nothing here has.
_initialize: Any = stateful.initialize
_rule: Any = stateful.rule

TIMING = "_timing"  # beside the arguments of an operation
POINTS = 4  # I/Os of an operation that can be late; our choice
RESUMES = 8  # times that a task of an operation is ready and can go on late; our choice
LINES = 50  # of an operation that runs in a thread; our choice
STRATEGIES_MAX = 1000  # kept for values that were met before, as most are within a chunk
# Values of these types that are equal are the same, once their types are: not so 0.0 and -0.0.
TOLD_APART = frozenset({str, int, bool, bytes, type(None), Handle})
# Names of what Hypothesis keeps to itself.
CONSTANTS, CACHE = "_get_local_constants", "CONSTANTS_CACHE"
KEY_PREFIX = b"threadline-examples:"
CHUNK_RUNS = 100  # a chunk's memory grows by about 100 KB a run; see the design on searching


@dataclass(slots=True)
class Watch:
    """What the runs of one machine came to, and the signatures that end a run without a failure.

    `masked_failures` are those, each with the settings of its run; `tried` counts by rule.
    """

    masked: Set[Signature] = frozenset()
    known: Sequence[Known] = ()
    driver: str = ""
    runs: int = 0
    steps: int = 0
    runs_to_failure: int = 0
    failure: Failure | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    masked_failures: list[tuple[Failure, Mapping[str, object]]] = field(default_factory=list)
    tried: dict[str, Tries] = field(default_factory=dict)

    def saw(self, failure: Failure, settings: Mapping[str, object]) -> bool:
        """Note a failure under these settings, and return whether Hypothesis is told of it."""
        is_known = covering(self.known, failure.signature, self.driver) is not None
        if is_known or failure.signature in self.masked:
            if self.failure is None:  # from then on Hypothesis shrinks: it plays the same again
                self.masked_failures.append((failure, settings))
            return False
        self.failure, self.settings = failure, settings
        self.runs_to_failure = self.runs_to_failure or self.runs
        return True


class Machine(stateful.RuleBasedStateMachine):
    """One run, as Hypothesis steps it; a derived class adds the rules of a scenario."""

    runs: Runs
    header: Header
    watch: Watch

    def __init__(self) -> None:
        super().__init__()
        self.has_failed = False
        self.now = Now(None)
        self._settings: Mapping[str, object] = {}
        self._open: AbstractContextManager[Lockstep] | None = None
        self.lockstep: Lockstep

    def begin(self, **settings: object) -> None:
        """Open the run; an initialize rule, so that settings are drawn and shrunk."""
        header = replace(self.header, settings=settings)
        self._settings = settings
        self.watch.runs += 1
        opened = self.runs.open(header.line(), settings, mode=header.mode)
        try:
            self.lockstep = opened.__enter__()
        except Divergence as divergence:
            self._fail(divergence)
            return
        self._open = opened
        self.now = self.lockstep.now

    def take(self, rule: Rule, values: dict[str, Any]) -> None:
        """Step the operation that a rule makes of drawn values."""
        if self.has_failed:
            return  # by a failure that is known: model and system have no more to say
        operation = rule.make(*[values[_argument(name)] for name, _ in rule.pools])
        timing = values.get(TIMING, CALM)
        operation = operation if timing == CALM else operation.timed(timing)
        self.watch.steps += 1
        self.watch.tried[rule.name].fired += 1
        try:
            self.lockstep.step(self.now.step, operation)
        except UNPLAYED:
            self.watch.steps -= 1
            return
        except Divergence as divergence:
            self._fail(divergence)
        self.now.step += 1

    def teardown(self) -> None:
        if self._open is None:
            return
        try:
            with closed(self._open):
                if not self.has_failed and self._is_due():
                    self.runs.look(self.lockstep, self.header)
        except Divergence as divergence:
            self._fail(divergence)

    def _is_due(self) -> bool:
        """Return whether the run is looked through for leaks; one that overlaps never is."""
        header = replace(self.header, run=self._run())
        return not header.overlap and self.runs.is_due(header)

    def _fail(self, divergence: Divergence) -> None:
        """End the run; Hypothesis is told unless the failure is masked."""
        self.has_failed = True
        if self.watch.saw(divergence.failure, self._settings):
            raise divergence

    def _run(self) -> int:
        """Return a number for the draw of round trips: another one for each run of all chunks."""
        return self.header.run * CHUNK_RUNS + self.watch.runs


@contextmanager
def closed(opened: AbstractContextManager[Lockstep]) -> Iterator[None]:
    """Close a run that was opened before, whatever the block raises."""
    try:
        yield
    finally:
        opened.__exit__(None, None, None)


def machine(
    scenario: type[Scenario[Any]], runs: Runs, header: Header, watch: Watch | None = None
) -> type[Machine]:
    """Return the state machine of a scenario on a target; named after both, as `Store[driver]`.

    Hypothesis keeps its examples by that name, so two drivers never share any.
    """
    watch = watch or Watch()
    body: dict[str, Any] = {
        "runs": runs,
        "header": header,
        "watch": watch,
        "_initialize": _initialize(**_strategies(runs.target.settings(scenario)))(_begin),
    }
    lines = bool(runs.target.driver.threaded)
    drawn = _timings(scenario, lines=lines, adversarial=header.adversarial)
    timings = {TIMING: drawn} if header.overlap else {}
    for rule in scenario.rules(runs.target.lacks):
        watch.tried.setdefault(rule.name, Tries())
        for turn in range(rule.weight):  # Hypothesis knows no weights, but a rule can come twice
            body[f"_rule_{rule.name}_{turn}"] = _derived(rule, timings)
    return type(f"{scenario.__name__}[{runs.target.name}]", (Machine,), body)


def settings(steps_max: int, runs_max: int, **more: Any) -> hypothesis.settings:
    """Return the settings that every profile shares.

    Both derandomize and database are set, because Hypothesis's own profile for CI would replay the
    same examples every night.
    """
    return hypothesis.settings(
        max_examples=runs_max,
        stateful_step_count=steps_max,
        **{
            "deadline": None,
            "derandomize": False,
            "database": None,
            "print_blob": False,
            "report_multiple_bugs": False,
            "verbosity": Verbosity.quiet,
            "suppress_health_check": list(HealthCheck),
            **more,
        },
    )


def examples_at(place: str) -> dict[str, Any]:
    """Return the settings by which Hypothesis keeps what has failed there, and plays it first.

    A place is a folder, or redis://HOST:PORT/NUMBER (extra: redis). Raises BadName where that is no
    address, or the extra is not installed.
    """
    # Without shrinking and explaining, which play thousands of runs more than our own passes.
    phases = [Phase.explicit, Phase.reuse, Phase.generate]
    if "://" not in place:
        return {"database": DirectoryBasedExampleDatabase(place), "phases": phases}
    try:
        from hypothesis.extra.redis import RedisExampleDatabase
        from redis import Redis

        server = Redis.from_url(place)
    except ImportError as error:
        raise BadName(f"examples are kept at {place!r}, and {error}; install redis") from error
    except ValueError as error:
        raise BadName(f"examples are kept at {place!r}: {error}") from error
    return {"database": RedisExampleDatabase(server, key_prefix=KEY_PREFIX), "phases": phases}


class Chunks:
    """Runs a scenario on Hypothesis, CHUNK_RUNS at a time, each chunk with a seed of its own.

    `known` failures are masked from the first run on, and `more` are settings of Hypothesis that
    differ from ours.
    """

    def __init__(
        self,
        scenario: type[Scenario[Any]],
        runs: Runs,
        header: Header,
        *,
        known: Sequence[Known] = (),
        **more: Any,
    ) -> None:
        # Shrinking takes seconds and thousands of runs, where our own passes take a hundred.
        self._more = {"phases": [Phase.generate], **more}
        self._scenario = scenario
        self._runs = runs
        self._header = replace(header, identities=scenario.identities())
        self._met: set[Signature] = set()
        self._known = known
        self._tried: dict[str, Tries] = {}
        self._played = 0

    def batches(self, first_run: int = 1, runs_max: int | None = None) -> Iterator[Batch]:
        """Yield each chunk as it ends, up to `runs_max` runs; a failure that is known is masked.

        Before the chunk, yields a batch of no runs for each of them that a masked failure ended.
        """
        left = runs_max
        for chunk in count(first_run):
            size = CHUNK_RUNS if left is None else min(left, CHUNK_RUNS)
            batch, masked = self._chunk(chunk, size)
            self._played += batch.runs
            yield from masked
            yield batch
            if batch.failure:
                self._met.add(batch.failure.signature)
            if left is not None:
                left -= batch.runs
                if left <= 0:
                    return

    def unused(self) -> list[str]:
        """Return a line for each rule that has never fired, which says why not."""
        return unused(self._tried, self._played)

    def _more_now(self) -> dict[str, Any]:
        database = self._more.get("database")
        if database is None or not (self._met or self._known):
            return self._more
        return {**self._more, "database": _Undeleted(database)}

    def _chunk(self, chunk: int, size: int) -> tuple[Batch, list[Batch]]:
        """Play one chunk, and return what came of it, and the failures that were masked."""
        watch = Watch(frozenset(self._met), self._known, self._header.driver, tried=self._tried)
        header = replace(self._header, run=chunk)
        derived = machine(self._scenario, self._runs, header, watch)
        seed = Random(f"{header.seed}/{chunk}").getrandbits(64)
        try:
            with _same_draws_everywhere():
                stateful.run_state_machine_as_test(
                    hypothesis.seed(seed)(derived),
                    settings=settings(header.steps_max, size, **self._more_now()),
                )
        except (Divergence, Flaky):
            # Flaky: what ended a run silently may end it by chance, and another one not.
            if watch.failure is None and not watch.masked_failures:
                raise
        except InvalidDefinition:
            # Says that no rule can fire: a run that is over before its last step, and its chunk.
            if not watch.runs:
                raise
        runs = watch.runs_to_failure or watch.runs
        masked = [_batch(header, 0, 0, *each) for each in watch.masked_failures]
        return _batch(header, runs, watch.steps, watch.failure, watch.settings), masked


class _Undeleted(ExampleDatabase):
    """A database of examples that keeps what does not fail: its failure is masked in this chunk."""

    def __init__(self, kept: ExampleDatabase) -> None:
        super().__init__()
        self._kept = kept

    def fetch(self, key: bytes) -> Iterable[bytes]:
        return self._kept.fetch(key)

    def save(self, key: bytes, value: bytes) -> None:
        self._kept.save(key, value)

    def delete(self, key: bytes, value: bytes) -> None:
        """Keep it."""


def _batch(
    header: Header, runs: int, steps: int, failure: Failure | None, settings: Mapping[str, object]
) -> Batch:
    leaks = failure is not None and failure.is_after_run
    return Batch(runs, steps, replace(header, settings=settings, round_trip=leaks), failure)


@contextmanager
def _same_draws_everywhere() -> Iterator[None]:
    """Keep Hypothesis from drawing constants that it finds in whatever modules are loaded.

    It has no setting for that; where its internals are others, seeds hold for one command only.
    """
    inside: dict[str, Any] = vars(providers)
    kept = {name: inside[name] for name in (CONSTANTS, CACHE) if name in inside}
    if len(kept) == len((CONSTANTS, CACHE)):
        none, empty = type(kept[CONSTANTS]())(), type(kept[CACHE])(1024)
        inside.update({CONSTANTS: lambda: none, CACHE: empty})
    try:
        yield
    finally:
        inside.update(kept)


def _begin(self: Machine, **settings: object) -> None:
    self.begin(**settings)


def _timings(
    scenario: type[Scenario[Any]], *, lines: bool, adversarial: bool
) -> st.SearchStrategy[Timing]:
    """Return the timings of one operation, the simplest of which is calm."""
    cancels = scenario.cancels and not lines
    late = (1, 2, 3) if lines else (1, 2, 3, -1, -2, -3)
    delay = st.tuples(st.integers(1, LINES if lines else POINTS), st.sampled_from(late))
    resume = st.tuples(st.integers(1, RESUMES), st.sampled_from((1, 2, 3)))
    return st.builds(
        Timing,
        st.sampled_from(BEGINS),
        _few(delay),
        st.sampled_from((0, 0, 0, 0, 1, 2, -1, -2)) if cancels else st.just(0),
        _few(resume) if adversarial else st.just(()),
    )


def _few(late: st.SearchStrategy[tuple[int, int]]) -> st.SearchStrategy[Late]:
    return st.lists(late, max_size=2, unique_by=lambda each: each[0]).map(sorted).map(tuple)


def _derived(rule: Rule, timings: Mapping[str, st.SearchStrategy[Timing]]) -> Any:
    """Return Hypothesis's rule for one of ours, enabled while none of its pools is empty."""

    def step(self: Machine, **values: object) -> None:
        self.take(rule, values)

    step.__name__ = step.__qualname__ = rule.name
    derived = _rule(**_strategies(dict(rule.pools)), **timings)(step)
    if rule.precondition or any(pool.constant is None for _, pool in rule.pools):
        derived = stateful.precondition(_enabled(rule))(derived)
    return derived


def _enabled(rule: Rule) -> Callable[[Machine], bool]:
    def enabled(self: Machine) -> bool:
        has_begun = self._open is not None  # else it could not start, which was seen before
        return has_begun and self.watch.tried[rule.name].ask(rule, self.now)

    return enabled


def _strategies(pools: Mapping[str, Pool[Any]]) -> dict[str, Any]:
    return {_argument(name): _strategy(pool) for name, pool in pools.items()}


def _argument(name: str) -> str:
    """Return the name of a pool as Hypothesis can call an argument."""
    return name.replace(".", "_")


def _strategy(pool: Pool[Any]) -> st.SearchStrategy[Any]:
    if pool.constant is not None:
        return st.sampled_from(pool.constant)
    return st.runner().flatmap(lambda machine: _sampled(pool.values(machine.now)))


def _sampled(values: Sequence[Any]) -> st.SearchStrategy[Any]:
    """Return the strategy for these values; to make one costs more than to draw from it."""
    kinds = tuple(map(type, values))
    if TOLD_APART.issuperset(kinds):
        return _kept(kinds, tuple(values))
    return st.sampled_from(values)


@lru_cache(STRATEGIES_MAX)
def _kept(_kinds: tuple[type, ...], values: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)
