"""What is known of each planted leak, and how to hunt one: for tests and for the benchmark."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice

from threadline.campaign.mutant import Kill, Mutant, kill
from threadline.failure import Failure
from threadline.leaks.growth import BRIEF_MAX, Growths
from threadline.leaks.investigate import Investigation, investigate
from threadline.leaks.round_trip import RoundTrips
from threadline.loading import load_target
from threadline.lockstep.run import Runs
from threadline.search.explore import Explorer
from threadline.trace import Header, Recorder

from scenarios.connections import Connections
from tests.mutants.identity_leaks import MUTANTS as OF_IDENTITIES
from tests.mutants.leaks import MUTANTS
from tests.mutants.service_leaks import IN_HANDLER
from tests.mutants.service_leaks import MUTANTS as OF_SERVICES

CLEAN = "drivers.sessions:SessionsDriver"
STEPS_MAX = 10  # of a run


@dataclass(frozen=True, slots=True)
class Planted:
    """What a report must say of a mutant: its class, the step of birth, the chain from a root."""

    kind: str
    born: str
    chain: str


SYSTEM = "system: ChatSystem / "
IN_CONNECTOR = SYSTEM + ".connector -> Connector / "
PLANTED = {
    "KeepsEndedManagers": Planted(
        "dict entry (IsolatedWebSocketManager)",
        "connect",
        f"{SYSTEM}.factory -> WebSocketManagerFactory / ._ended -> dict",
    ),
    "KeepsHandlers": Planted(
        "list item (callback)",
        "message",
        f"{SYSTEM}.router -> Router / ._on_reply -> list",
    ),
    "RecoversForEver": Planted("task", "disconnect", "loop: _Loop / task -> Task"),
    "KeepsConnectionIds": Planted("set member (str)", "connect", f"{IN_CONNECTOR}._seen -> set"),
    "AuditsNothing": Planted(
        "list item (None)", "message", f"{SYSTEM}.router -> Router / ._audit -> list"
    ),
    "CachesContexts": Planted(
        "UserExecutionContext held elsewhere",
        "",
        "tests.mutants.foreign: module / .KEPT -> list / [*] -> UserExecutionContext",
    ),
    "KeepsDropped": Planted("list item (Socket)", "connect", f"{IN_CONNECTOR}._dropped -> list"),
    "KeepsEverySecondReconnect": Planted(
        "list item (UserExecutionContext)",
        "connect",
        f"{IN_CONNECTOR}._resumed -> list",
    ),
    "KeepsFailures": Planted(
        "dict entry (Connection)", "connect", f"{IN_CONNECTOR}._failed -> dict"
    ),
    "TaskPerDisconnect": Planted("task", "disconnect", "loop: _Loop / task -> Task"),
    "ThreadPerConnection": Planted("thread", "connect", "threads"),
}
OF_SERVICE = {
    "KeepsQualityHandlers": Planted(
        "list item (callback)",
        "subscribe",
        "service: ChatService / .quality -> QualityManager / ._handlers -> list",
    ),
    "KeepsFailedRequests": Planted("list item (Message)", "", f"{IN_HANDLER}._failed"),
    "SessionPerError": Planted(
        "dict entry (RequestScopedSession)",
        "",
        "service: ChatService / .session_factory -> RequestScopedSessionFactory / ._open -> dict",
    ),
}
BY_IDENTITY = {
    "KeepsEmptyUsers": Planted(
        "dict entry (dict)", "", f"{SYSTEM}.registry -> Registry / ._by_user -> dict"
    ),
    "LocksEachUser": Planted(
        "dict entry (RLock)", "", f"{SYSTEM}.registry -> Registry / ._locks -> dict"
    ),
    "IndexesByUser": Planted(
        "dict entry (set)", "append", "store: MemoryStore / ._threads_of -> dict"
    ),
}
BY_NAME = {mutant.name: mutant for mutant in (*MUTANTS, *OF_SERVICES, *OF_IDENTITIES)}
MODULES = {
    **dict.fromkeys(PLANTED, "tests.mutants.leaks"),
    **dict.fromkeys(OF_SERVICE, "tests.mutants.service_leaks"),
    **dict.fromkeys(BY_IDENTITY, "tests.mutants.identity_leaks"),
}
SERVICE_CYCLES = 30  # a cycle of a service takes ten times as long


def hunt(mutant: Mutant, seed: int, cycles_max: int = BRIEF_MAX) -> tuple[Kill, Investigation]:
    """Find, minimise and investigate a planted leak; raises AssertionError where one fails."""
    target = load_target(f"{MODULES[mutant.name]}:{mutant.name}")
    died = kill(mutant, target, engine="explore", seed=seed, cycles_max=cycles_max)
    assert died.minimised is not None, f"{mutant.name} lives, seed {seed}"
    blind = replace(target, invariants=())
    runs = Runs(blind, Recorder(None), after_run=RoundTrips(cycles_max=cycles_max))
    found = investigate(died.minimised.trace, runs)
    assert found is not None, f"{mutant.name} leaks no longer, seed {seed}"
    return died, found


def told(found: Investigation) -> Planted:
    """Return what a report says of a leak."""
    kinds = {found.ledger.steps[place].operation.kind for place in found.ledger.born}
    return Planted(found.leak.leak_class, " ".join(sorted(kinds)), str(found.chain))


def is_told(found: Investigation, expected: Planted) -> bool:
    """Return whether a report says what it must; where several operations can be the step of birth,
    none is expected, and where a chain is long, its name.
    """
    said = told(found)
    chain = str(found.chain) if " / " in expected.chain else found.chain.name
    born = expected.born or said.born
    is_short = " " not in said.born and bool(said.born)
    return is_short and replace(said, chain=chain) == replace(expected, born=born)


def alarms(grower: Mutant, seed: int, runs_max: int) -> tuple[list[Failure], Growths]:
    """Return the failures of runs on a benign grower, each with a round trip, and what is known."""
    target = replace(load_target(CLEAN), make=grower)
    trips = RoundTrips(1)
    runs = Runs(target, Recorder(None), after_run=trips)
    header = Header(target.model.name, CLEAN, seed=seed, steps_max=STEPS_MAX)
    batches = islice(Explorer(Connections, runs, header).batches(), runs_max)
    return [batch.failure for batch in batches if batch.failure], trips.growths
