"""Counts how far one chat frame travels: the calls, functions and files of `sessions/` it takes.

    uv run python -m tests.bench.hops

A socket connects, and its user says something, which the agent answers. A move is a call in another
file than the call before it. Each time that a coroutine goes on, its callers do too, one by one:
that is counted apart, as nobody who reads the code goes that way.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from types import CodeType, FrameType
from typing import Any, NamedTuple

from tests.project import ROOT
from tests.sessions_clock import settle
from tests.sessions_subject import RESTS_MAX, Subject, frame

FOLDER = str(ROOT / "sessions")


class Step(NamedTuple):
    """A function that begins or, if it is a coroutine, goes on."""

    code: CodeType
    begins: bool

    @property
    def file(self) -> str:
        return self.code.co_filename.removeprefix(FOLDER + "/")


async def traced() -> list[Step]:
    """Return what runs in `sessions/`, in order, from the connect to the answer."""
    steps: list[Step] = []
    # Held, so that no later frame is taken for one of these.
    seen: set[FrameType] = set()

    def profile(running: FrameType, event: str, _: Any) -> None:
        if event == "call" and running.f_code.co_filename.startswith(FOLDER):
            steps.append(Step(running.f_code, running not in seen))
            seen.add(running)

    async with Subject().chat() as chat:
        await settle()  # the tasks of the service have begun
        sys.setprofile(profile)
        try:
            peer = await chat.connect()
            await chat.service.receive(peer, frame("user_message", {"text": "is anybody there?"}))
            for _ in range(RESTS_MAX):
                await settle()
        finally:
            sys.setprofile(None)
    assert peer.received[-1]["type"] == "agent_completed", peer.received
    return steps


def moves(steps: Iterable[Step]) -> int:
    """Return how often a step is in another file than the step before it."""
    return sum(one.file != other.file for one, other in pairwise(steps))


def main() -> None:
    """Print the figures, and the calls of each file."""
    steps = asyncio.run(traced())
    calls = [step for step in steps if step.begins]
    files = Counter(step.file for step in calls)
    functions = {step.code for step in calls}
    print(f"{len(calls)} calls of {len(functions)} functions in {len(files)} files")
    print(f"{moves(calls)} moves from file to file; {moves(steps)} with coroutines that go on")
    for file, times in files.most_common():
        print(f"  {times:>4}  {file}")


if __name__ == "__main__":
    main()
