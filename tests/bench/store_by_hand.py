"""The memory store under a machine written by hand for Hypothesis, with the checks ours makes."""

from __future__ import annotations

from random import Random

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from drivers.memory_store import Conversation, MemoryStore, UnknownThread

USERS = ("ana", "ana:b", "Ana")
THREADS = ("t", "t1", "b:t", " t")
FRESH = "m"
LIMITS = (None, 1, 2, 0, 100)
# The cases of `play`, each as often as the rules of the machine that do the same.
MIX = (*[0] * 7, *[1] * 6, 2, 3, 4, 5, 6, 6, 7)


class Checked:
    """A store and what it must hold: every result is compared, and all sizes on request."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.turns: dict[tuple[str, str], list[str]] = {}
        self.step = 0  # how often everything was compared

    def open(self, user: str, thread: str) -> Conversation:
        return self.store.open(user, thread)

    def append(self, conversation: Conversation, text: str) -> None:
        if text == FRESH:
            text = f"m{self.step}"
        self.store.append(conversation, text)
        self.turns.setdefault((conversation.user, conversation.thread), []).append(text)

    def history(self, conversation: Conversation, limit: int | None) -> None:
        turns = self.turns.get((conversation.user, conversation.thread), [])
        expected = turns if limit is None else turns[max(0, len(turns) - limit) :]
        shown = self.store.history(conversation, limit)
        assert shown == expected
        shown.clear()

    def pop(self, conversation: Conversation) -> None:
        turns = self.turns.get((conversation.user, conversation.thread))
        assert self.store.pop(conversation) == (turns.pop() if turns else None)

    def clear(self, conversation: Conversation) -> None:
        self.store.clear(conversation)
        if (conversation.user, conversation.thread) in self.turns:
            self.turns[conversation.user, conversation.thread] = []

    def threads(self, user: str) -> None:
        expected = sorted(thread for owner, thread in self.turns if owner == user)
        assert self.store.threads(user) == expected

    def delete(self, user: str, thread: str) -> None:
        try:
            self.store.delete(user, thread)
        except UnknownThread:
            assert (user, thread) not in self.turns
        else:
            del self.turns[user, thread]

    def reopen(self) -> None:
        self.store.reopen()

    def compare_sizes(self) -> None:
        self.step += 1
        assert self.store.sizes() == {key: len(turns) for key, turns in self.turns.items()}


class ByHand(RuleBasedStateMachine):
    """The test as a user of Hypothesis writes it, who knows that reopening ends what is open.

    A rule of weight 2 has two names. Faster by a tenth than the same with a Bundle, from which
    nothing can be taken at reopening.
    """

    steps_taken = 0  # by all runs
    one = st.runner().flatmap(lambda machine: st.sampled_from(machine.held))
    one_stored = st.runner().flatmap(lambda machine: st.sampled_from(list(machine.checked.turns)))
    some_are_held = precondition(lambda machine: machine.held)
    some_are_stored = precondition(lambda machine: machine.checked.turns)

    def __init__(self) -> None:
        super().__init__()
        self.checked = Checked()
        self.held: list[Conversation] = []

    def teardown(self) -> None:
        ByHand.steps_taken += self.checked.step - 1  # compared once before the first step

    @rule(user=st.sampled_from(USERS), thread=st.sampled_from(THREADS))
    def open(self, user: str, thread: str) -> None:
        self.held.append(self.checked.open(user, thread))

    open_2 = open_3 = open_4 = open

    @some_are_stored
    @rule(stored=one_stored)
    def open_again(self, stored: tuple[str, str]) -> None:
        self.held.append(self.checked.open(*stored))

    open_again_2 = open_again_3 = open_again

    @some_are_held
    @rule(conversation=one, text=st.sampled_from((FRESH, "again", "")))
    def append(self, conversation: Conversation, text: str) -> None:
        self.checked.append(conversation, text)

    append_2 = append_3 = append_4 = append_5 = append_6 = append

    @some_are_held
    @rule(conversation=one, limit=st.sampled_from(LIMITS))
    def history(self, conversation: Conversation, limit: int | None) -> None:
        self.checked.history(conversation, limit)

    @some_are_held
    @rule(conversation=one)
    def pop(self, conversation: Conversation) -> None:
        self.checked.pop(conversation)

    @some_are_held
    @rule(conversation=one)
    def clear(self, conversation: Conversation) -> None:
        self.checked.clear(conversation)

    @rule(user=st.sampled_from(USERS))
    def threads(self, user: str) -> None:
        self.checked.threads(user)

    @rule(user=st.sampled_from(USERS), thread=st.sampled_from(THREADS))
    def delete(self, user: str, thread: str) -> None:
        self.checked.delete(user, thread)

    @some_are_stored
    @rule(stored=one_stored)
    def delete_stored(self, stored: tuple[str, str]) -> None:
        self.checked.delete(*stored)

    @rule()
    def reopen(self) -> None:
        self.checked.reopen()
        self.held.clear()

    @invariant()
    def sizes_agree(self) -> None:
        self.checked.compare_sizes()


def play(checked: Checked, steps: int, random: Random) -> None:
    """Take steps drawn at random, with no engine at all: what the checks themselves cost."""
    held = [checked.open("ana", "t")]
    for _ in range(steps):
        user, thread, one = random.choice(USERS), random.choice(THREADS), random.choice(held)
        match random.choice(MIX):
            case 0:
                held.append(checked.open(user, thread))
            case 1:
                checked.append(one, random.choice((FRESH, "again", "")))
            case 2:
                checked.history(one, random.choice(LIMITS))
            case 3:
                checked.pop(one)
            case 4:
                checked.clear(one)
            case 5:
                checked.threads(user)
            case 6:
                checked.delete(user, thread)
            case 7:
                checked.reopen()
        checked.compare_sizes()
