"""A caller who is cancelled in the middle of a statement leaves nothing behind, on real threads."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from tests.sessions_databases import KINDS
from tests.sessions_stores import context, stores

TURNS_MAX = 60  # turns of the loop, after which a caller leaves: more than a turn takes to store


@pytest.mark.parametrize("kind", KINDS)
def test_who_leaves_keeps_no_lock(tmp_path: Path, kind: str) -> None:
    """Whenever the first one leaves, the next can write at once, and no place stays taken."""

    async def run() -> None:
        async with stores(tmp_path, kind=kind) as kept:
            for turns in range(TURNS_MAX):
                leaving = asyncio.create_task(kept.turns.append_user_turn(context(), "first"))
                for _ in range(turns):
                    await asyncio.sleep(0)
                leaving.cancel()
                with suppress(asyncio.CancelledError):
                    await leaving
                before = len(await kept.turns.latest_turns(context(), 1_000))
                assert await kept.turns.append_user_turn(context(), "second") == before + 1
            assert kept.sessions.gauges().sessions_open == 0
            assert kept.sessions.gauges().places_taken == 0

    asyncio.run(run())
