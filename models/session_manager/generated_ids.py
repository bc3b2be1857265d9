"""What is fixed of the ids that a system makes (the contract, Identifiers)."""

from __future__ import annotations

from threadline import Handle, Refused

from models.session_manager.clock import Clock
from models.session_manager.ids import PURPOSE_LENGTH_MAX, USER_PREFIX_LENGTH, Id, made_ms

KEPT = 6  # ids: as many as a scenario needs to choose from
EPOCH_S = 1_700_000_000  # when every run starts, by the driver's clock
RANDOM_LENGTH = 8


class GeneratedIds:
    """The ids made last, and when; an id is told by its prefix, its time and its random digits."""

    def __init__(self, clock: Clock) -> None:
        self.made_s: dict[Handle, float] = {}
        self._clock = clock

    def keep(self, kind: str) -> Handle:
        """Name an id that this step returns to its caller."""
        handle = self._clock.new_handle(kind)
        self.made_s[handle] = self._clock.now_s
        while len(self.made_s) > KEPT:
            del self.made_s[next(iter(self.made_s))]
        return handle

    def keep_if_new(self, given: Id) -> Id:
        """Return an id of a session, noting it if this step has made it."""
        if isinstance(given, Handle) and given.step == self._clock.step:
            return self.keep(given.kind)
        return given

    def base_id(self, prefix: str, random_length: int) -> dict[str, object]:
        return {"id": self.keep("i"), **self._form(prefix, random_length)}

    def refuse(self, purpose: str) -> Refused | None:
        if len(purpose) <= PURPOSE_LENGTH_MAX:
            return None
        says = f"{len(purpose)} characters", str(PURPOSE_LENGTH_MAX)
        return Refused("invalid id request", f"{says[0]} are more than {says[1]}", says=says)

    def context_ids(self, purpose: str) -> dict[str, object]:
        """Return three ids of one moment; the thread's is thread_ and the run's."""
        return {
            "thread": self.keep("t"),
            "run": self.keep("r"),
            "request": self.keep("q"),
            "thread holds run": True,
            "run form": self._form(purpose, RANDOM_LENGTH),
            "request form": self._form(f"req_{purpose}", RANDOM_LENGTH),
        }

    def websocket_ids(self, user: str) -> dict[str, object]:
        prefix = user[:USER_PREFIX_LENGTH]
        return {
            "client": self.keep("c"),
            "client form": self._form(f"ws_client_{prefix}", RANDOM_LENGTH),
            "connection": self.keep("i"),
            "connection form": self._form(f"ws_conn_{prefix}", RANDOM_LENGTH),
        }

    def read(self, text: Id) -> dict[str, object]:
        """Return what is read in a text: a generated id's time and age in seconds, or nothing."""
        made_s = self._made_s(text)
        if made_s is None:
            return {"valid": False, "made_s": None, "age_s": -1.0}
        return {"valid": True, "made_s": made_s, "age_s": max(0.0, self._clock.now_s - made_s)}

    def _made_s(self, text: Id) -> float | None:
        if isinstance(text, Handle):
            return self.made_s[text]
        ms = made_ms(text)
        return None if ms is None else ms / 1000 - EPOCH_S

    def _form(self, prefix: str, random_length: int) -> dict[str, object]:
        return {"prefix": prefix, "made_s": self._clock.now_s, "random": random_length}
