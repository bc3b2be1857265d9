"""The manager limit, and the emergency clean-up before it."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

import pytest

from sessions.errors import ManagerLimitError
from sessions.settings import Settings
from sessions.system import ChatSystem
from tests.sessions_peers import Peer, make_system


async def connect(system: ChatSystem, *threads: str) -> None:
    """Connect ana to each thread, by a socket of its own."""
    for thread in threads:
        await system.connector.connect(Peer(), "ana", thread)


async def await_connection(system: ChatSystem, *threads: str) -> None:
    """Make a manager without a connection for each thread of ana's."""
    for thread in threads:
        context = system.contexts.get_user_execution_context("ana", thread)
        await system.factory.create_manager(context)


def names(number: int) -> list[str]:
    return [f"t{thread}" for thread in range(number)]


def test_defaults_are_the_contracts() -> None:
    """Every limit has the default that the contract names."""
    assert asdict(Settings()) == {
        "session_ttl_s": 86_400,
        "max_sessions_per_user": 1_000,
        "max_managers_per_user": 20,
        "emergency_percent": 80,
        "reconnect_grace_s": 60,
        "connection_timeout_s": 1_800,
        "send_timeout_s": 5,
        "outbox_max": 100,
        "recovery_max": 100,
        "sweep_interval_s": 60,
        "pool_size": 10,
        "pool_timeout_s": 30,
        "retention_s": 2_592_000,
        "queue_max": 10_000,
        "dead_letters_max": 1_000,
        "queue_workers": 64,
        "agent_timeout_s": 300,
        "message_bytes_max": 262_144,
        "tokens": {},
    }


def test_19_managers_leave_room() -> None:
    """A user with a manager less than the limit gets another."""

    async def run() -> None:
        system, _ = make_system()
        await connect(system, *names(19), "one more")

        assert await system.factory.get_user_manager_count("ana") == 20

    asyncio.run(run())


def test_20_managers_are_the_limit() -> None:
    """A user with as many managers as the limit gets no other, and it is counted."""

    async def run() -> None:
        system, _ = make_system()
        await connect(system, *names(20))
        with pytest.raises(ManagerLimitError):
            await connect(system, "one more")

        assert await system.factory.get_user_manager_count("ana") == 20
        assert system.metrics().manager_limit_refusals == 1

    asyncio.run(run())


def test_21st_connection_to_a_thread_in_use_is_welcome() -> None:
    """At the limit a further tab on a thread in use needs no manager."""

    async def run() -> None:
        system, _ = make_system()
        await connect(system, *names(20), "t0")

        assert len(system.census().connections) == 21

    asyncio.run(run())


def test_limit_is_each_users_own() -> None:
    """A user at the limit leaves the others theirs."""

    async def run() -> None:
        system, _ = make_system()
        await connect(system, *names(20))
        await system.connector.connect(Peer(), "ben", "t0")

        assert await system.factory.get_user_manager_count("ben") == 1

    asyncio.run(run())


@pytest.mark.parametrize(("managers", "left", "emergencies"), [(15, 16, 0), (16, 1, 1), (17, 2, 1)])
def test_idle_managers_make_way_from_80_percent(managers: int, left: int, emergencies: int) -> None:
    """From sixteen of twenty, managers with neither connection nor queue go first.

    Of seventeen, the seventeenth has itself made the sixteen before it go.
    """

    async def run() -> None:
        system, _ = make_system()
        await await_connection(system, *names(managers))
        await connect(system, "one more")

        assert await system.factory.get_user_manager_count("ana") == left
        assert system.metrics().emergency_cleanups == emergencies

    asyncio.run(run())


def test_emergency_spares_connections_and_queues() -> None:
    """A manager with a live connection stays, and so does one that has events waiting."""

    async def run() -> None:
        system, _ = make_system(Settings(max_managers_per_user=4))
        await connect(system, "connected")
        await await_connection(system, "waiting", "idle", "idle too")
        await system.router.deliver("ana", "waiting", "agent_event", {})
        await connect(system, "one more")
        threads = [key.thread_id for key in system.census().managers]

        assert threads == ["connected", "waiting", "one more"]

    asyncio.run(run())


def test_emergency_is_not_counted_if_none_went() -> None:
    """A user with many managers in use causes no emergency."""

    async def run() -> None:
        system, _ = make_system(Settings(max_managers_per_user=5))
        await connect(system, *names(5))

        assert system.metrics().emergency_cleanups == 0

    asyncio.run(run())


def test_due_managers_make_way_without_emergency() -> None:
    """A manager that is due counts no longer, though nothing swept it."""

    async def run() -> None:
        system, clock = make_system(Settings(max_managers_per_user=1))
        await await_connection(system, "old")
        clock.now_s += 60
        await connect(system, "new")

        assert [key.thread_id for key in system.census().managers] == ["new"]
        assert system.metrics().managers_cleaned_up == 1
        assert system.metrics().emergency_cleanups == 0

    asyncio.run(run())
