"""Which of the known bugs the tests that the seeds ask for can see."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from threadline.campaign.change import applied
from threadline.campaign.mutant import Mutant
from threadline.defaults import read_defaults
from threadline.loading import load

from models.chat_service import ChatServiceModel
from models.session_manager import SessionManagerModel
from sessions import ChatService
from sessions.default import set_default_service
from tests import (
    test_seed_audits,
    test_seed_guides,
    test_seed_lifecycle,
    test_seed_patterns,
    test_seed_scenarios,
    test_sessions_seeds,
)
from tests.project import ROOT
from tests.sessions_subject import Subject

CLAIMS = (
    test_seed_scenarios,
    test_seed_lifecycle,
    test_seed_patterns,
    test_seed_audits,
    test_seed_guides,
)
MISSED = "missed"


class Claim(NamedTuple):
    """One test of the seeds', with the values of one of its variants."""

    name: str
    test: Callable[..., None]
    values: Mapping[str, object]


def mutants() -> dict[str, Mutant]:
    """Return the mutants that the seeds' tests can be run on, by the name that tests give them."""
    return {
        f"{name.partition(':')[0]}:{mutant.name}": mutant
        for name in read_defaults(ROOT).mutants
        for mutant in load(name)
        if mutant.scenario.model in (SessionManagerModel, ChatServiceModel)
    }


def claims() -> Iterator[Claim]:
    """Yield every test of the seeds', their own snippets first, each variant by itself."""
    for module in (test_sessions_seeds, *CLAIMS):
        for name, test in list(vars(module).items()):
            if name.startswith("test_"):
                yield from (Claim(name, test, values) for values in _variants(test))


def first_to_see(mutant: Mutant) -> str:
    """Return the name of the first of the seeds' tests that fails on a mutant, or MISSED."""
    with applied(mutant.changes):
        return next((claim.name for claim in claims() if sees(claim)), MISSED)


def sees(claim: Claim) -> bool:
    """Return whether a test fails, whatever it raises."""
    subject = Subject()
    wanted = inspect.signature(claim.test).parameters
    given = {"subject": subject} if "subject" in wanted else {}
    try:
        with as_default(subject):
            claim.test(**given, **claim.values)
    except (Exception, pytest.fail.Exception):
        return True
    return False


@contextmanager
def as_default(subject: Subject) -> Iterator[None]:
    """Make a service of the subject's the process default, which the seeds' snippets use."""
    # On a clock that stands still, so that what depends on the millisecond is seen each time.
    system, _ = subject.make_system()
    set_default_service(ChatService(system))
    try:
        yield
    finally:
        set_default_service(None)


def table(seen_by: Mapping[str, str]) -> str:
    """Show by which of the seeds' tests each mutant was seen; the harness kills all."""
    width = max(map(len, seen_by)) + 2
    rows = [f"{name:{width}}killed      {saw}" for name, saw in seen_by.items()]
    return "\n".join([f"{'mutant':{width}}threadline  the seeds' tests", *rows])


def summary(seen_by: Mapping[str, str]) -> str:
    """Count both, for each kind of system, as docs/seeds.md has it."""
    kinds = {SessionManagerModel: "the session manager", ChatServiceModel: "the chat service"}
    lines = []
    for model, name in kinds.items():
        own = [mutant.name for mutant in mutants().values() if mutant.scenario.model is model]
        seen = sum(seen_by[each] != MISSED for each in own)
        if own:
            lines.append(f"| {name} | {len(own)} | {seen} | {len(own)} |")
    return "\n".join(lines)


def read_table(text: str) -> dict[str, str]:
    """Return what a table shows: by which test each mutant was seen."""
    rows = [line.split() for line in text.splitlines()[1:]]
    return {name: saw for name, _, saw in rows}


def _variants(test: Callable[..., None]) -> list[dict[str, object]]:
    """Return the values of each variant of a test, as its parametrize marks say."""
    variants: list[dict[str, object]] = [{}]
    marks: list[pytest.Mark] = getattr(test, "pytestmark", [])
    for mark in marks:
        names, rows = mark.args
        variants = [variant | _named(names, row) for variant in variants for row in rows]
    return variants


def _named(names: Any, row: Any) -> dict[str, object]:
    return {names: row} if isinstance(names, str) else dict(zip(names, row, strict=True))


def main() -> None:
    """Print the table, after a minute or so."""
    print(table({mutant.name: first_to_see(mutant) for mutant in mutants().values()}))


if __name__ == "__main__":
    main()
