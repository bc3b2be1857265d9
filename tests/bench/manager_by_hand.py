"""The session manager under a machine written by hand for Hypothesis, checked by our lockstep."""

from __future__ import annotations

from typing import Any, TypeAlias

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from threadline.handle import Handle
from threadline.lockstep.lockstep import Lockstep
from threadline.operation import Operation

from drivers.sessions import SessionsDriver
from models.session_manager import SessionManagerModel as Sessions
from models.session_manager.socket_faults import WELL

Text: TypeAlias = str | Handle
Key: TypeAlias = tuple[str, Text]

USERS = st.sampled_from(("ana", "ben"))
THREADS = st.sampled_from((None, "t", "u"))
RUNS = st.sampled_from((None, "r", "s"))


def one_of_its(name: str) -> Any:  # Any: what a list of this name holds
    """Return a strategy for what the machine lists under a name now."""
    return st.runner().flatmap(lambda machine: st.sampled_from(getattr(machine, name)))


class ByHand(RuleBasedStateMachine):
    """The conversation as a user of Hypothesis writes it, who has a model and a lockstep.

    A rule of weight 2 has two names. It has no Bundles, for from these nothing can be taken when a
    user is invalidated or a context is kept no longer.
    """

    steps_taken = 0  # by all runs
    threads = one_of_its("any_thread")
    connections = one_of_its("open")

    some_are_open = precondition(lambda machine: machine.state.connections.live)
    some_are_kept = precondition(lambda machine: machine.state.contexts.kept)
    some_are_live = precondition(lambda machine: machine.state.sessions.live)

    def __init__(self) -> None:
        super().__init__()
        self.driver = SessionsDriver()
        model = Sessions()
        self.lockstep = Lockstep(model, self.driver)
        self.state = model.state
        self.number = 1

    def step(self, operation: Operation) -> None:
        self.lockstep.step(self.number, operation)
        self.number += 1

    def teardown(self) -> None:
        self.driver.close()
        ByHand.steps_taken += self.number - 1

    @property
    def keys(self) -> list[Key]:
        return list(self.state.sessions.live)

    @property
    def any_thread(self) -> list[Text | None]:
        made = [thread for _, thread in self.state.sessions.live if isinstance(thread, Handle)]
        return [None, "t", "u", *made]

    @property
    def open(self) -> list[Handle]:
        return list(self.state.connections.live)

    @property
    def open_or_none(self) -> list[Handle | None]:
        return [None, *self.state.connections.live]

    @property
    def owned(self) -> list[tuple[str, Handle]]:
        return [(each.key[0], handle) for handle, each in self.state.connections.live.items()]

    @property
    def kept(self) -> list[Handle]:
        return list(self.state.contexts.kept)

    @rule(user=USERS, thread=threads, run=RUNS)
    def get(self, user: str, thread: Text | None, run: str | None) -> None:
        self.step(Sessions.get(user, thread, run))

    get_2 = get_3 = get_4 = get_5 = get

    @rule(user=USERS, thread=threads, run=RUNS)
    def get_session(self, user: str, thread: Text | None, run: str | None) -> None:
        self.step(Sessions.get_session(user, thread, run))

    get_session_2 = get_session

    @rule(user=USERS, thread=THREADS, run=RUNS)
    def create(self, user: str, thread: str | None, run: str | None) -> None:
        self.step(Sessions.create(user, thread, run))

    @rule(user=USERS, thread=threads)
    def existing(self, user: str, thread: Text | None) -> None:
        self.step(Sessions.existing(user, thread))

    @rule(user=USERS, name=st.sampled_from((None, "tab")), tags=st.sampled_from(((), ("a", "b"))))
    def from_websocket(self, user: str, name: str | None, tags: tuple[str, ...]) -> None:
        self.step(Sessions.from_websocket(user, name, tags))

    @rule(user=USERS, thread=threads)
    def connect(self, user: str, thread: Text | None) -> None:
        self.step(Sessions.connect(user, thread, None, WELL))

    connect_2 = connect_3 = connect

    @some_are_open
    @rule(own=one_of_its("owned"), thread=THREADS, run=RUNS)
    def message(self, own: tuple[str, Handle], thread: str | None, run: str | None) -> None:
        user, connection = own
        self.step(Sessions.message(user, thread, run, connection, f"m{self.number}"))

    message_2 = message_3 = message_4 = message

    @rule(user=USERS, thread=threads, run=RUNS, connection=one_of_its("open_or_none"))
    def write(
        self, user: str, thread: Text | None, run: str | None, connection: Handle | None
    ) -> None:
        self.step(Sessions.message(user, thread, run, connection, f"m{self.number}"))

    write_2 = write

    @some_are_open
    @rule(user=USERS, connection=connections, thread=THREADS)
    def ping(self, user: str, connection: Handle, thread: str | None) -> None:
        self.step(Sessions.ping(user, connection, thread))

    ping_2 = ping

    @some_are_open
    @rule(connection=connections, code=st.sampled_from((1000, 1006)))
    def disconnect(self, connection: Handle, code: int) -> None:
        self.step(Sessions.disconnect(connection, code))

    @some_are_kept
    @rule(context=one_of_its("kept"), deep=st.sampled_from((1, 3, 10, 11)))
    def child(self, context: Handle, deep: int) -> None:
        self.step(Sessions.child(context, deep))

    @some_are_kept
    @rule(context=one_of_its("kept"))
    def tamper(self, context: Handle) -> None:
        self.step(Sessions.tamper(context))

    @some_are_live
    @rule(key=one_of_its("keys"))
    def get_again(self, key: Key) -> None:
        self.step(Sessions.get(*key, None))

    @rule(user=USERS)
    def invalidate(self, user: str) -> None:
        self.step(Sessions.invalidate(user))

    @rule(seconds=st.sampled_from((1, 60)))
    def wait(self, seconds: int) -> None:
        self.step(Sessions.wait(seconds))
