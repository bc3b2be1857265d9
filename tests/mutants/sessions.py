"""Make a session manager of which one part has a bug."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from threadline.campaign.mutant import Mutant
from threadline.scenario import Scenario

from drivers.sessions import SessionsDriver
from sessions import ChatSystem
from tests.mutants.least import by_signature
from tests.mutants.parts import PartMutant


def mutant(
    part: str, scenario: type[Scenario[Any]], *, leaks: str = "", **least: int | tuple[int, ...]
) -> Callable[[type[Any]], Mutant]:
    """Make a class a mutant: ChatSystem's `part` is made by it instead.

    `least` says in how many steps of the scenario each signature shows it. One that `leaks` on a
    path says so, and `steps` in how many.
    """

    def decorate(broken: type[Any]) -> Mutant:
        parts: dict[str, Any] = {part: broken}
        make = partial(SessionsDriver, partial(ChatSystem, **parts))
        signatures = by_signature(least)
        if leaks:
            signatures = {f"memory-{leaks}": least["steps"]}
        return PartMutant(
            broken.__name__, broken.__doc__ or "", make, scenario, signatures, leaks=bool(leaks)
        )

    return decorate
