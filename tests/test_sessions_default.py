"""The process default: one system, one service on it, and what calls without their own reach."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from inspect import signature
from unittest.mock import create_autospec

import pytest

import sessions
from sessions import ChatService, ChatSystem
from sessions.default import (
    RequestScopedSessionFactory,
    UnifiedIdGenerator,
    default_service,
    default_system,
    get_user_execution_context,
    set_default_service,
    set_default_system,
)
from sessions.registry import Registry
from tests.project import ROOT


@pytest.fixture(autouse=True)
def _new_default() -> Iterator[None]:
    set_default_service(None)
    yield
    set_default_service(None)


def test_the_default_service_is_on_the_default_system() -> None:
    """
    It is made once, on the system that the other defaults use.
    """
    assert default_service() is default_service()
    assert default_service().system is default_system()


def test_a_new_default_system_has_a_new_service() -> None:
    """
    A default service does not outlive the default system that it is on.
    """
    before, system = default_service(), ChatSystem()
    set_default_system(system)

    assert default_service() is not before
    assert default_service().system is system


def test_a_default_service_brings_its_system() -> None:
    """
    Where a service is the default, so is its system.
    """
    service = ChatService(ChatSystem())
    set_default_service(service)

    assert default_service() is service
    assert default_system() is service.system


def test_a_factory_without_a_database_is_the_default_services() -> None:
    """
    What it opens is counted and closed by the default service.
    """

    async def run() -> None:
        context = get_user_execution_context("ana", "t")
        session = await RequestScopedSessionFactory().create_session_from_context(context)

        assert default_service().census().database.sessions_open == 1
        await default_service().stop()
        assert default_service().census().database.sessions_open == 0
        with pytest.raises(RuntimeError, match="closed"):
            await session.commit()

    asyncio.run(run())


def test_the_package_loads_without_its_extra() -> None:
    """
    A session manager alone needs no SQLAlchemy, which comes with the extra.
    """
    code = "import sys, sessions; sessions.ChatSystem(); print('sqlalchemy' in sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )

    assert shown.stdout == "False\n"


def test_the_package_has_no_other_names() -> None:
    """
    What is loaded late is known by name; anything else is an error as ever.
    """
    with pytest.raises(AttributeError, match="no attribute 'Unheard'"):
        vars(sessions)["__getattr__"]("Unheard")


@pytest.mark.parametrize("name", [name for name in vars(UnifiedIdGenerator) if name[0] != "_"])
def test_the_class_calls_are_those_of_the_system(name: str) -> None:
    """
    Each takes what the default's own method takes, with the same defaults, and reaches that one.
    """
    system = create_autospec(ChatSystem(), instance=True)
    set_default_system(system)
    owner = sessions.UnifiedIdGenerator if hasattr(sessions.UnifiedIdGenerator, name) else Registry
    called = getattr(UnifiedIdGenerator, name)
    _, *wanted = signature(getattr(owner, name)).parameters.values()
    given = [each.name for each in wanted]

    assert list(signature(called).parameters.values()) == wanted
    called(*given)
    part = system.ids if owner is sessions.UnifiedIdGenerator else system.registry
    getattr(part, name).assert_called_once_with(*given)
