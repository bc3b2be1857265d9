"""Make a session manager of which one line, or one part, has a bug."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from threadline.campaign.change import Change
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


def line(
    name: str,
    bug: str,
    function: str,
    *,
    old: str,
    new: str,
    scenario: type[Scenario[Any]],
    also: tuple[Change, ...] = (),
    **least: int | tuple[int, ...],
) -> Mutant:
    """Return a session manager of which one function is changed; `least` as in mutant()."""
    path, signatures = f"sessions.{function}", by_signature(least)
    return Mutant(name, bug, path, old, new, SessionsDriver, scenario, signatures, also=also)
