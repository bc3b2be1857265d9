"""Counts how far one chat frame travels: the calls, functions and files of `sessions/` it takes.

    uv run python -m tests.bench.hops

A socket connects, and its user says something, which the agent answers. A move is a call in another
file than the call before it, or a coroutine that goes on there.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from itertools import pairwise
from types import CodeType, FrameType
from typing import Any

from tests.project import ROOT
from tests.sessions_subject import Subject

FOLDER = str(ROOT / "sessions")


async def traced() -> list[CodeType]:
    """Return the code of each call in `sessions/`, in order, from the connect to the answer."""
    calls: list[CodeType] = []

    def profile(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(FOLDER):
            calls.append(frame.f_code)

    async with Subject().chat() as chat:
        sys.setprofile(profile)
        try:
            peer = await chat.connect()
            events = await chat.say(peer, "is anybody there?")
        finally:
            sys.setprofile(None)
    assert events[-1]["type"] == "agent_completed", events
    return calls


def main() -> None:
    """Print the figures, and the calls of each file."""
    calls = asyncio.run(traced())
    files = [code.co_filename.removeprefix(FOLDER + "/") for code in calls]
    moves = sum(one != other for one, other in pairwise(files))
    print(f"{len(calls)} calls of {len(set(calls))} functions in {len(set(files))} files")
    print(f"{moves} moves from file to file")
    for file, times in Counter(files).most_common():
        print(f"  {times:>4}  {file}")


if __name__ == "__main__":
    main()
