"""Behaviour: the outcomes and model states that runs have reached, and the runs that were first."""

from __future__ import annotations

from array import array
from base64 import b64decode, b64encode
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from heapq import heappush, heappushpop
from itertools import count

from ..lockstep.lockstep import Lockstep, Record
from ..operation import Operation
from ..outcome import Outcome, Refused
from ..pool import Now
from ..trace import numbered_line

LOOKED_AT_EVERY = 4  # runs: to look at the state after each step takes a quarter of a cheap one
FIRSTS_MAX = 20  # runs that are kept from one search, those with the most new states
KNOWN_MAX = 50_000  # states and transitions that are told apart; our choice


@dataclass(frozen=True, slots=True, order=True)
class First:
    """A run that has reached new states: how many, and its trace up to the last of them."""

    new: int
    age: int  # so that the older of two with as many is given up last
    trace: bytes = field(compare=False)
    states: tuple[int, ...] = field(compare=False)


@dataclass(slots=True)
class Behaviour:
    """Follows runs, and counts what they reach.

    operations: of each kind of operation, how often each outcome came, since `take`. states: the
    shapes of the model's state, as numbers that are the same in each process. transitions: the
    same, of a state, an operation, and the state behind it. States are looked at in one run of
    LOOKED_AT_EVERY; those that are `known` make no run worth keeping.
    """

    known: set[int] = field(default_factory=set)
    operations: dict[str, dict[str, int]] = field(default_factory=dict)
    states: set[int] = field(default_factory=set)
    transitions: set[int] = field(default_factory=set)
    is_off: bool = False  # as while a failure is minimised, whose replays are no runs
    _firsts: list[First] = field(default_factory=list)
    _numbers: dict[Hashable, int] = field(default_factory=dict)
    _runs: int = 0
    _age: count[int] = field(default_factory=lambda: count(0, -1))
    _look: Look | None = None
    _is_open: bool = False
    _taken: set[int] = field(default_factory=set)

    def begin(self, header: bytes, now: Now, record: Record) -> Record:
        """Return what to call in place of `record`, before each step of a run that begins."""
        self._look, self._is_open = None, not self.is_off
        if self.is_off:
            return record
        self._runs += 1
        if self._runs % LOOKED_AT_EVERY != 1:
            return record
        self._look = Look(header, now, record, self._number)
        return self._look.record

    def end(self, lockstep: Lockstep) -> None:
        """Count what the run that began last has reached."""
        if not self._is_open:
            return
        self._is_open = False
        for step in lockstep.steps:
            outcomes = self.operations.setdefault(step.operation.kind, {})
            name = outcome_name(step.actual)
            outcomes[name] = outcomes.get(name, 0) + 1
        look, self._look = self._look, None
        if look is not None:
            if not lockstep.has_diverged:  # a model that was asked too much says nothing of use
                look.see("")
            self._keep(look)

    def take(self) -> tuple[dict[str, dict[str, int]], list[int], list[int]]:
        """Return the operations, new states and new transitions since this was called last."""
        operations, self.operations = self.operations, {}
        states = [state for state in self.states if state not in self._taken]
        transitions = [each for each in self.transitions if each not in self._taken]
        self._taken.update(states, transitions)
        return operations, sorted(states), sorted(transitions)

    def firsts(self) -> list[First]:
        """Return the runs that were the first to reach a state, those with the most first."""
        return sorted(self._firsts, reverse=True)

    def _keep(self, look: Look) -> None:
        new = [state for state in dict.fromkeys(look.states) if self._is_new(state)]
        room = KNOWN_MAX - len(self.states)
        self.states.update(new[:room])
        if len(self.transitions) < KNOWN_MAX:
            self.transitions.update(look.transitions)
        if not new:
            return
        first = First(len(new), next(self._age), look.trace_to(new[-1]), tuple(new))
        if len(self._firsts) < FIRSTS_MAX:
            heappush(self._firsts, first)
        else:
            heappushpop(self._firsts, first)

    def _is_new(self, state: int) -> bool:
        if state in self.known or state in self.states:
            self.states.add(state)
            return False
        return True

    def _number(self, shape: Hashable) -> int:
        """Return the number of a state: that of its text, which no hash seed changes."""
        number = self._numbers.get(shape)
        if number is None:
            number = number_of(repr(shape))
            if len(self._numbers) < KNOWN_MAX:
                self._numbers[shape] = number
        return number


@dataclass(slots=True)
class Look:
    """One run whose states are looked at: before each step, and at its end."""

    header: bytes
    now: Now
    to_record: Record
    number: Callable[[Hashable], int]
    lines: list[bytes] = field(default_factory=list)
    states: list[int] = field(default_factory=list)
    transitions: list[int] = field(default_factory=list)
    _kind: str = ""

    def record(self, number: int, operation: Operation) -> None:
        """Note the state before a step, then record the step."""
        self.see(operation.kind)
        self.lines.append(numbered_line(number, operation))
        self.to_record(number, operation)

    def see(self, next_kind: str) -> None:
        """Note the state that the run is in, `next_kind` being the operation that follows."""
        state = self.number(self.now.model.shape())
        if self.states:
            self.transitions.append(number_of(f"{self.states[-1]} {self._kind} {state}"))
        self.states.append(state)
        self._kind = next_kind

    def trace_to(self, state: int) -> bytes:
        """Return the trace of this run up to the step that has led to a state first."""
        return self.header + b"".join(self.lines[: self.states.index(state)])


def outcome_name(outcome: Outcome) -> str:
    """Return what kind of outcome one is, as in "ok" or "refused: full"."""
    if isinstance(outcome, Refused):
        return f"refused: {outcome.reason}"
    return type(outcome).__name__.lower()


def number_of(text: str) -> int:
    """Return a number below 2**63 for a text, the same on any machine."""
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def packed(numbers: Iterable[int]) -> str:
    """Return numbers as one short text, for a message to another process."""
    return b64encode(array("q", numbers).tobytes()).decode("ascii")


def unpacked(text: str) -> list[int]:
    """Return the numbers of a text that `packed` has made; raises ValueError for any other."""
    numbers = array("q")
    numbers.frombytes(b64decode(text, validate=True))
    return numbers.tolist()
