"""How far one frame of a chat goes through the files of the service."""

from __future__ import annotations

import asyncio
import sys

from tests.bench.hops import moves, traced

FILES_MAX = 20
# Since 3.12, asyncio lets a sender come between the beginnings of two statements.
MOVES_MAX = 100 if sys.version_info < (3, 12) else 102


def test_a_frame_goes_through_few_files() -> None:
    """
    A connect and a message with its answer take few files, and few moves between them.
    """
    calls = [step for step in asyncio.run(traced()) if step.begins]

    assert len({step.file for step in calls}) <= FILES_MAX
    assert moves(calls) <= MOVES_MAX
