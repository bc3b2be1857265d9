"""A cache of clients with bugs that were one failure to threadline, and answers that are sets."""

from __future__ import annotations

from typing import ClassVar

from threadline import Driver, Model, Pool, operation, pool

NAMES = pool("ana", "ben", "cyd")
LIVE = Pool(lambda now: sorted(now.model.clients))


class Clients(Model):
    """Which clients are there, what each has said, and when it is forgotten."""

    def __init__(self) -> None:
        self.clients: dict[str, list[str]] = {}

    @operation(name=NAMES)
    def accept(self, name: str) -> dict[str, object]:
        """A client comes, or comes again."""
        self.clients.setdefault(name, [])
        return {"accepted": True, "beside": {*self.clients} - {name}}

    @operation(name=LIVE, text=pool("hi", "so"))
    def say(self, name: str, text: str) -> set[str]:
        """A client says something; all that it has said."""
        self.clients[name].append(text)
        return set(self.clients[name])

    @operation(name=LIVE)
    def leave(self, name: str) -> None:
        """A client leaves."""
        del self.clients[name]

    @operation
    def tick(self) -> None:
        """Time passes."""

    def census(self) -> dict[str, object]:
        return {"clients": dict.fromkeys(self.clients, 0), "timers": {}, "texts": self._texts()}

    def _texts(self) -> dict[str, int]:
        return {name: len(texts) for name, texts in self.clients.items() if texts}


class ClientsDriver(Driver[Clients]):
    """Does what the model does, but for the `bugs` that it has."""

    bugs: ClassVar[frozenset[str]] = frozenset()

    def __init__(self) -> None:
        self.clients: dict[str, list[str]] = {}
        self.timers: dict[str, int] = {}
        self.kept: dict[str, int] = {}

    def accept(self, name: str) -> dict[str, object]:
        refused = "never accepted" in self.bugs and len(self.clients) == 2
        if not refused:
            self.clients.setdefault(name, [])
        beside = {*self.clients} - {name}
        return {
            "accepted": not refused,
            "beside": set() if "forgets" in self.bugs and len(beside) == 2 else beside,
        }

    def say(self, name: str, text: str) -> set[str]:
        self.clients[name].append(text)
        return set(self.clients[name])

    def leave(self, name: str) -> None:
        del self.clients[name]
        if "kept client" in self.bugs:
            self.kept[name] = 0

    def tick(self) -> None:
        if "harmless timer" in self.bugs and len(self.clients) == 1:
            self.timers["sweep"] = 1
        if "lost value" in self.bugs and len(self.clients) == 2:
            for texts in self.clients.values():
                texts += texts[:1]

    def census(self) -> dict[str, object]:
        texts = {name: len(texts) for name, texts in self.clients.items() if texts}
        clients = {**dict.fromkeys(self.clients, 0), **self.kept}
        return {"clients": clients, "timers": self.timers, "texts": texts}


class TimerAndValue(ClientsDriver):
    """Two bugs that show after a tick, and both are memory."""

    bugs = frozenset({"harmless timer", "lost value"})


class KeptAndRefused(ClientsDriver):
    """Two bugs of clients: one is kept when it leaves, one is never accepted."""

    bugs = frozenset({"kept client", "never accepted"})


class Forgets(ClientsDriver):
    """Answers with a set from which all are missing, where it should have two."""

    bugs = frozenset({"forgets"})
