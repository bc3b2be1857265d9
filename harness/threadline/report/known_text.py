"""What a campaign says of known failures: which came, which are fixed, and which have run out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from os.path import relpath

from ..campaign.events import Replayed
from ..history import count
from ..known import Known
from ..trace import is_signature_of


@dataclass(slots=True)
class KnownText:
    """Hears run events about the `entries`, and says at the end what to do about them."""

    entries: list[Known] = field(default_factory=list)
    expired: list[Known] = field(default_factory=list)
    replayed: dict[str, str] = field(default_factory=dict)

    def add(self, entries: Sequence[Known], expired: Sequence[Known]) -> None:
        """Take the known failures of one more driver, and its expired ones."""
        self.entries += [entry for entry in entries if entry not in self.entries]
        self.expired += [entry for entry in expired if entry not in self.expired]

    def hear(self, event: Replayed) -> None:
        """Take the outcome of replaying the trace of a known failure."""
        if event.is_known:
            self.replayed[event.signature] = event.came

    def came(self, signature: str, runs: int) -> str:
        """Return the words for a known failure that came in so many runs."""
        entry = next(e for e in self.entries if is_signature_of(e.signature, signature))
        return f"known: {signature} ({count(runs, 'run')}): {_about(entry)}"

    def lines(self, came: Collection[str], *, is_whole: bool) -> Iterator[str]:
        """Yield a line for each entry that needs one; `came` are the known signatures that came.

        That a failure did not come is said only of a campaign that `is_whole`.
        """
        for entry in self.expired:
            until = entry.until.isoformat() if entry.until else ""
            yield f"expired: {entry.signature} was known until {until}: {entry.reason}"
        for entry in self.entries:
            now = self.replayed.get(entry.signature)
            has_come = any(is_signature_of(entry.signature, signature) for signature in came)
            trace = relpath(entry.trace) if entry.trace else ""
            if now == "":
                yield f"fixed: {entry.signature}: {trace} agrees now; take its entry out"
            elif now is not None and not is_signature_of(entry.signature, now):
                yield f"known: {entry.signature}: {trace} fails otherwise now: {now}"
            elif now is None and not has_come and is_whole:
                yield f"not seen: {entry.signature} did not come; if it is fixed, take it out"


def _about(entry: Known) -> str:
    until = f"until {entry.until.isoformat()}" if entry.until else ""
    return ", ".join(filter(None, (entry.reason, entry.link, until)))
