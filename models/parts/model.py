"""What parts of a chat service must do that need no system around them, each called by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from threadline import Census, Model, Operation, Property, Refuse, operation

from models.chat_service import quality
from models.parts.errors import ANSWERS, ERRORS, NOTED, NOTHING, STORAGE
from models.parts.values import CONTENTS, EVENTS, FRAMES, PAYLOADS
from models.session_manager.ids import DEPTH_MAX, WORDS, broken_rule
from models.session_manager.plain_data import FROZEN, described

OPTIONAL = ("websocket_client_id", "websocket_connection_id")
# Upper ends in seconds of how long a get of a context takes.
BOUNDS_S = (0.00001, 0.0001, 0.001, 0.01, 0.1, 1.0)
KINDS = sorted({each.kind for each in PAYLOADS.values()} | {"stop_agent"})
LIMITS = ("connections_max", "user_connections_max", "requests_max")
WELL, RAISES, RAISES_KNOWN = "well", "raises", "raises what is logged already"
INTERVAL_S = 3


@dataclass(slots=True)
class Sweeps:
    """What the background sweep did; next_s is None while it does not run."""

    how: str = WELL
    done: int = 0
    errors: int = 0
    logged: int = 0
    next_s: float | None = None


class Parts(Model):
    """Contexts, frames, payloads, contents, errors, sweeps, and answers that are waited for."""

    def __init__(self) -> None:
        self._now_s = 0.0
        self._times_s: list[float] = []
        self._sweeps = Sweeps()
        self._turned_away = dict.fromkeys(LIMITS, 0)
        self.responses: list[str] = []

    @operation(breaks=Property.ISOLATION)
    def context_of(self, field: str, value: object) -> object:
        """A context is made by hand, all of whose other fields are good; what its holder reads."""
        if field == "operation_depth":
            is_number = isinstance(value, int) and not isinstance(value, bool)
            if not (is_number and 0 <= value <= DEPTH_MAX):  # type: ignore[operator]
                raise Refuse("invalid context", says=(f"{field} is ", f"0 to {DEPTH_MAX}"))
            return repr(value)
        if field in OPTIONAL and value in (None, ""):
            return repr(value)
        if rule := broken_rule(value):
            raise Refuse("invalid context", rule, says=(f"{field} is ", WORDS[rule.split()[-1]]))
        return repr(value)

    @operation(breaks=Property.ISOLATION)
    def additional(self, word: str) -> object:
        """A context is made with more than ids, which its maker changes later, and its holder."""
        if word not in FROZEN:
            says = "have strings as keys" if "key" in word else "plain data only"
            raise Refuse("invalid context", says=("additional_context is ", says))
        return described(FROZEN[word])

    @operation(breaks=Property.MEMORY)
    def observe(self, seconds: float) -> object:
        """A get took so long; how many took up to each upper end by now, and all together."""
        self._times_s.append(seconds)
        ends = [[str(end), sum(s <= end for s in self._times_s)] for end in BOUNDS_S]
        total = 0.0
        for each in self._times_s:
            total += each
        return [*ends, ["+Inf", len(self._times_s)], total]

    @operation
    def parse(self, frame: str, room: int) -> object:
        """A frame is read where as many bytes may come as it has, and so many more."""
        sent = FRAMES[frame]
        if room < 0:
            raise Refuse("too_large", says=(f"{sent.size_bytes + room:,} bytes",))
        if sent.found is None:
            raise Refuse(sent.code, says=(sent.says,))
        return dict(sent.found)

    @operation(breaks=Property.ISOLATION)
    def event(self, word: str) -> object:
        """An event is shown to one socket, whose owner changes it, and then to another.

        What the other is shown: no field takes the place of its type or its ids. And how large its
        own fields are as JSON, in bytes, without white space, and with escapes.
        """
        fields = EVENTS[word]
        ids = {"type": "message", "thread_id": "t", "run_id": "r", "event_id": "e"}
        shown = {**fields, **ids, "message_id": None}
        return [json.loads(json.dumps(shown)), len(json.dumps(fields, separators=(",", ":")))]

    @operation
    def kind_of(self, given: object) -> object:
        """The type of a message is read."""
        if given not in KINDS:
            raise Refuse("bad_type", says=(", ".join(KINDS),))
        return given

    @operation(breaks=Property.KEYS)
    def id_of(self, name: str, own: object, inner: object) -> object:
        """An id of a message is read: the message's own, or else its payload's."""
        given = [each for each in (own, inner) if each is not None and each != ""]
        if not given:
            return None
        if rule := broken_rule(given[0]):
            raise Refuse("bad_id", rule, says=(f"{name} is ", WORDS[rule.split()[-1]]))
        return given[0]

    @operation(breaks=Property.ISOLATION)
    def payload(self, word: str) -> object:
        """A payload is checked, and its sender changes it later; what is kept of it."""
        tried = PAYLOADS[word]
        if tried.kept is None:
            raise Refuse("bad_payload", says=(tried.says,))
        return sorted([name, repr(value)[:40]] for name, value in tried.kept.items())

    @operation
    def judge(self, content: str, content_type: str, strict: bool) -> object:
        """A content is judged."""
        found = quality.judge(CONTENTS[content], content_type, strict=strict)
        return [found.issues, found.score, found.is_valid]

    @operation
    def average(self, scores: tuple[int, ...]) -> object:
        """The average of scores is made."""
        return quality.average(list(scores))

    @operation(breaks=Property.ISOLATION)
    def told_of(self, error: str) -> object:
        """Somebody is told of an error: its code, the status of a reply, and what is said."""
        known = ERRORS.get(error)
        if known is None:
            raise Refuse("no code")
        return [known.code, known.status, known.text]

    @operation(breaks=Property.ISOLATION)
    def note(self, error: str) -> object:
        """A storage error is noted: its kind, how many there were, and what the log says."""
        return [STORAGE[error].kind, STORAGE[error].why]

    @operation(breaks=Property.ISOLATION)
    def request(self, what: str, error: str) -> object:
        """A request of ana's by HTTP, for t where it names a thread, meets an error, or none.

        What is told of it, by code and status; and, where the log has it, of what kind, and why.
        """
        if error == NOTHING:
            return [200, ANSWERS[what]]
        known = ERRORS.get(error)
        if known is None:
            raise Refuse("no code")
        noted = NOTED.get(error)
        thread = "t" if "thread_id" in ANSWERS[what] else None
        return [*known, thread, list(noted) if noted else []]

    @operation(breaks=Property.MEMORY)
    def turn_away(self, limit: str) -> object:
        """A connection too many comes; how many were turned away by each limit by now."""
        self._turned_away[limit] += 1
        return list(map(list, self._turned_away.items()))

    @operation
    def begin_sweeps(self) -> None:
        """The background sweep is begun."""
        if self._sweeps.next_s is not None:
            raise Refuse("it runs", says=("stop it",))
        self._sweeps.next_s = self._now_s + INTERVAL_S

    @operation
    def end_sweeps(self) -> None:
        """It is ended; nothing, where it does not run."""
        self._sweeps.next_s = None

    @operation
    def sweeps_become(self, how: str) -> None:
        """From now on each sweep goes well, or raises."""
        self._sweeps.how = how

    @operation
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self._now_s += seconds
        sweeps = self._sweeps
        while sweeps.next_s is not None and sweeps.next_s <= self._now_s:
            sweeps.next_s += INTERVAL_S
            sweeps.done += 1
            sweeps.errors += sweeps.how != WELL
            sweeps.logged += sweeps.how == RAISES

    @operation
    def open_response(self, name: str) -> None:
        """Somebody waits for what comes of a message, under a name that nobody else waits under."""
        if name in self.responses:
            raise Refuse("waits already")
        self.responses.append(name)

    @operation
    def offer(self, name: str, text: str) -> None:
        """Something comes of a message."""
        if name in self.responses:
            self.tell(name, text)

    @operation(breaks=Property.MEMORY)
    def finish(self, name: str | None) -> None:
        """Nothing more comes of a message; of one that nobody waits for, nothing did."""
        if name in self.responses:
            self.responses.remove(name)
            self.tell(name, "end")

    @operation(breaks=Property.MEMORY)
    def finish_all(self) -> None:
        """Nothing more comes of any message."""
        for name in self.responses:
            self.tell(name, "end")
        self.responses.clear()

    @operation(breaks=Property.ISOLATION)
    def process_default(self) -> object:
        """The process default is forgotten, used twice, put, and forgotten again; what is so.

        It is made once, with a service on it and every limit as it is documented; one that was put
        is used, and without the other's service; one made anew is another one. One that is used as
        a block begins and ends with it. The package has the names that are loaded late.
        """
        return True

    def census(self) -> Census:
        """Return what the sweep did, and who waits."""
        sweeps = self._sweeps
        return {
            "sweeps": {"done": sweeps.done, "errors": sweeps.errors, "logged": sweeps.logged},
            "running": sweeps.next_s is not None,
            "waiting": len(self.responses),
        }

    def teardown(self) -> Iterator[Operation]:
        yield Parts.end_sweeps()
        yield Parts.finish_all()
