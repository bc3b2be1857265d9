"""A detour: how runs avoid a failure that is known, so that it does not end them all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple, TypeAlias

from ..handle import Handle
from ..model import MANY, Model, form
from ..operation import Operation, atoms_in
from ..trace import Numbered, numbered_line

Traits: TypeAlias = Mapping[str, object]
"""What is known of one operation that completes a trace: values, settings, what came between."""

EARLIER = 0.15  # of the runs leave out another operation of the trace than its last; our choice
CURIOUS = 0.03  # of the runs try again what is only likely to fail; our choice
UNSURE = 0.5  # and of those before anything like it has come without failing
SEEN_MAX = 400  # operations that are kept to learn from, the latest; our choice
DEPTH_MAX = 3  # traits that are asked for one after another
RARE = 8  # an operation of which fewer than one in so many has failed is no danger
FEW = 6  # values of a trait, up to which it is asked for however little is known


class Seen(NamedTuple):
    """One operation that was played, and whether it led to the known failure."""

    traits: Traits
    failed: bool


@dataclass(slots=True)
class Question:
    """A node of a decision tree (CART: Breiman et al. 1984): the trait to ask for, and its answers.

    `trait` is "" at a leaf. An answer that was never seen leads nowhere: the operation is tried.
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
    """Learns which operations fail: `knows` those that have, and judges those that have not come
    yet.
    """

    seen: list[Seen] = field(default_factory=list)
    _tree: Question | None = None

    @property
    def has_passed(self) -> bool:
        """Return whether any operation was played that did not lead to the failure."""
        return not all(one.failed for one in self.seen)

    def learn(self, traits: Traits, *, failed: bool) -> None:
        one = Seen(traits, failed)
        if one not in self.seen:
            self.seen = [*self.seen[1 - SEEN_MAX :], one]
            self._tree = None

    def knows(self, traits: Traits) -> bool:
        """Return whether an operation with exactly these traits has failed."""
        return Seen(traits, failed=True) in self.seen

    def judges(self, traits: Traits) -> bool:
        """Return whether an operation with these traits is likely to fail."""
        if self._tree is None:
            self._tree = _grown(self.seen, DEPTH_MAX)
        return self._tree.is_dangerous(traits)


def _grown(seen: Sequence[Seen], depth: int) -> Question:
    """Return the tree that best separates what has failed from what has not."""
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
    """Return the mean impurity behind a trait; that of no split if its values predict nothing.

    A trait that differs each time, as a text does, separates all that was seen, and predicts
    nothing.
    """
    groups = _split(seen, trait)
    if len(groups) > max(FEW, len(seen) // 4):
        return _gini(seen)
    return sum(_gini(group) * len(group) for group in groups.values()) / len(seen)


def _gini(seen: Sequence[Seen]) -> float:
    """Return how mixed these are: 0 where all or none have failed, at most 0.5."""
    share = Counter(one.failed for one in seen)[True] / len(seen)
    return 2 * share * (1 - share)


@dataclass(slots=True)
class Detour:
    """Avoids one minimised trace: each run leaves out one ingredient of it, chosen anew each time.

    Mostly that is its last operation, where it is likely to fail: with such values, after such
    operations, in such a state and under such settings; which these are is learnt from all runs.
    Some runs leave out another operation of the trace altogether, one on which no handle of it
    depends, and may do everything else. Some are curious: they leave out only exactly what has
    failed. Of a trace of one operation, nothing but that can be left out.
    """

    signature: str
    operations: Sequence[Numbered]
    danger: Danger = field(default_factory=Danger)
    _left_out: str = ""  # the kind of operation that this run goes without
    _is_curious: bool = False
    _settings: Traits = field(default_factory=dict)
    _played: dict[int, Operation] = field(default_factory=dict)
    _latest: Traits | None = None  # of the step that is going on, if it could be the last

    @property
    def last(self) -> type[Operation]:
        """The kind of operation that shows the failure."""
        return type(self.operations[-1][1])

    @property
    def beginning(self) -> list[bytes]:
        """The lines of the trace without its last."""
        return [numbered_line(*each) for each in self.operations[:-1]]

    @property
    def others(self) -> list[str]:
        """The kinds that a run can go without, and still come to the last one."""
        needed = {handle.step for _, one in self.operations for handle in one.handles()}
        kinds = (one.kind for number, one in self.operations[:-1] if number not in needed)
        return [kind for kind in dict.fromkeys(kinds) if kind != self.last.kind]

    def begin(self, random: Random) -> None:
        """Choose what the next run leaves out."""
        others = self.others if random.random() < EARLIER else []
        self._left_out = random.choice(others) if others else ""
        self._is_curious = random.random() < (CURIOUS if self.danger.has_passed else UNSURE)
        self._played, self._latest = {}, None

    def under(self, settings: Mapping[str, object]) -> None:
        """Take the settings of the run that begins."""
        self._settings = {f"setting {name}": value for name, value in settings.items()}

    def allows(self, operation: Operation, model: Model) -> bool:
        """Return whether an operation may come now, in this state: whether it is not left out."""
        self._latest = None
        if type(operation) is not self.last:
            return operation.kind != self._left_out
        self._latest = self._traits(operation, model)
        if self._left_out:
            return True
        is_left_out = self.danger.knows if self._is_curious else self.danger.judges
        return not is_left_out(self._latest)

    def played(self, number: int, operation: Operation) -> None:
        """Note a step of the run that agreed."""
        if self._latest is not None:
            self.danger.learn(self._latest, failed=False)
        self._played[number] = operation

    def ended(self) -> None:
        """Learn that the step which was allowed last has led to the failure."""
        if self._latest is not None:
            self.danger.learn(self._latest, failed=True)

    def _traits(self, operation: Operation, model: Model) -> Traits:
        """Return what is known of an operation before it comes."""
        values = dict(self._values(operation, ""))
        steps = set(self._origins(operation))
        return {
            **self._settings,
            **values,
            **self._between(steps, values),
            **_held(model, steps, values),
        }

    def _values(self, operation: Operation, of: str) -> Iterator[tuple[str, object]]:
        """Yield the arguments of an operation, and of those that its handles come from."""
        for name, value in operation.arguments().items():
            plain = tuple(atom for atom in atoms_in(value) if type(atom) is not Handle)
            if plain:
                yield f"{name}{of}", plain
        for handle in operation.handles():
            if handle.step in self._played:
                yield from self._values(self._played[handle.step], f" of {handle.kind}")

    def _origins(self, operation: Operation) -> Iterator[int]:
        """Yield the steps that the handles of an operation come from, and those behind them."""
        for handle in operation.handles():
            if handle.step in self._played:
                yield handle.step
                yield from self._origins(self._played[handle.step])

    def _between(self, steps: set[int], values: Traits) -> dict[str, object]:
        """Return how many operations of each kind came that are about the same, and the latest."""
        counts: dict[str, int] = {}
        latest: dict[str, object] = {}
        given = set(values.values())
        for number, operation in self._played.items():
            if number not in steps and _is_about(operation, steps, given):
                name = f"{operation.kind} before"
                counts[name] = min(MANY, counts.get(name, 0) + 1)
                latest["latest"] = operation.kind
        return {**counts, **latest}


def _held(model: Model, steps: set[int], values: Traits) -> dict[str, object]:
    """Return how much the model holds in all, and of what an operation is about, by part."""
    given = set(values.values())
    found: dict[str, object] = {}
    for part, items in model.census().items():
        found[f"all {part}"] = form(items) if not isinstance(items, dict) else min(MANY, len(items))
        for key, item in items.items() if isinstance(items, dict) else ():
            if all(_is_of(atom, steps, given) for atom in atoms_in(key)):
                found[part] = form(item)
    return found


def _is_about(operation: Operation, steps: set[int], values: set[object]) -> bool:
    """Return whether an operation names a handle of these steps, or, if it names none, a value."""
    atoms = atoms_in(list(operation.arguments().values()))
    handles = [atom for atom in atoms if type(atom) is Handle]
    return any(_is_of(atom, steps, values) for atom in handles or atoms) or not atoms


def _is_of(atom: object, steps: set[int], values: set[object]) -> bool:
    return atom.step in steps if type(atom) is Handle else (atom,) in values
