"""What makes an operation dangerous: learnt from those that ended a run, and those that did not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

Traits: TypeAlias = Mapping[str, object]
"""What is known of one operation that completes a trace: values, settings, what came between."""

SEEN_MAX = 400  # operations that are kept to learn from, the latest; our choice
DEPTH_MAX = 3  # traits that are asked for one after another
RARE = 8  # an operation of which fewer than one in so many has failed is no danger
FEW = 6  # values of a trait, up to which it is asked for however little is known


class Seen(NamedTuple):
    """One operation that came, and whether the failure that is known came of it."""

    traits: Traits
    failed: bool


@dataclass(slots=True)
class Question:
    """A node of a decision tree (CART: Breiman et al. 1984): what to ask, and what follows.

    `trait` is "" where nothing is left to ask. What was never seen leads nowhere, and is tried.
    """

    failed: int
    total: int
    trait: str = ""
    answers: dict[object, Question] = field(default_factory=dict)

    def is_dangerous(self, traits: Traits) -> bool:
        """Return whether one in RARE or more of those that are most alike has failed."""
        if not self.trait:
            return self.failed * RARE >= max(1, self.total) and self.failed > 0
        answer = self.answers.get(traits.get(self.trait))
        return answer is not None and answer.is_dangerous(traits)


@dataclass(slots=True)
class Danger:
    """Learns from what came; `knows` what has failed just so, and judges what has not come yet."""

    seen: list[Seen] = field(default_factory=list)
    _tree: Question | None = None

    @property
    def has_passed(self) -> bool:
        """Return whether anything has come of which the failure did not."""
        return not all(one.failed for one in self.seen)

    def learn(self, traits: Traits, *, failed: bool) -> None:
        one = Seen(traits, failed)
        if one not in self.seen:
            self.seen = [*self.seen[1 - SEEN_MAX :], one]
            self._tree = None

    def knows(self, traits: Traits) -> bool:
        """Return whether an operation with just these traits has failed."""
        return Seen(traits, failed=True) in self.seen

    def judges(self, traits: Traits) -> bool:
        """Return whether an operation with these traits is likely to fail."""
        if self._tree is None:
            self._tree = _grown(self.seen, DEPTH_MAX)
        return self._tree.is_dangerous(traits)


def _grown(seen: Sequence[Seen], depth: int) -> Question:
    """Return the tree that tells best what has failed from what has not."""
    failed = sum(one.failed for one in seen)
    node = Question(failed, len(seen))
    if depth == 0 or failed in (0, len(seen)):
        return node
    traits = sorted({name for one in seen for name in one.traits})
    best = min(traits, key=lambda name: _impurity(seen, name), default="")
    if best and _impurity(seen, best) < _gini(seen):
        node.trait = best
        for value, among in _split(seen, best).items():
            node.answers[value] = _grown(among, depth - 1)
    return node


def _split(seen: Sequence[Seen], trait: str) -> dict[object, list[Seen]]:
    found: dict[object, list[Seen]] = {}
    for one in seen:
        found.setdefault(one.traits.get(trait), []).append(one)
    return found


def _impurity(seen: Sequence[Seen], trait: str) -> float:
    """Return the mean impurity behind a trait; that of no split where its values tell nothing.

    A trait that is another each time, as a text is, tells all of them apart and nothing of what is
    to come.
    """
    groups = _split(seen, trait)
    if len(groups) > max(FEW, len(seen) // 4):
        return _gini(seen)
    return sum(_gini(group) * len(group) for group in groups.values()) / len(seen)


def _gini(seen: Sequence[Seen]) -> float:
    """Return how mixed these are: 0 where all or none have failed, at most 0.5."""
    share = Counter(one.failed for one in seen)[True] / len(seen)
    return 2 * share * (1 - share)
