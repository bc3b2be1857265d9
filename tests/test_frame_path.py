"""How far one frame of a chat goes through the files of the service."""

from __future__ import annotations

import asyncio

from tests.bench.hops import moves, traced

FILES_MAX = 20
MOVES_MAX = 100


def test_a_frame_goes_through_few_files() -> None:
    """
    A connect and a message with its answer take few files, and few moves between them.
    """
    calls = [step for step in asyncio.run(traced()) if step.begins]

    assert len({step.file for step in calls}) <= FILES_MAX
    assert moves(calls) <= MOVES_MAX
