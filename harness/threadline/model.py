"""A model: the simplest system that is plainly right; its methods are the contract."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Hashable, Iterable, Mapping, Sequence
from inspect import signature
from typing import (
    Any,
    ClassVar,
    Concatenate,
    Generic,
    ParamSpec,
    Protocol,
    Self,
    TypeAlias,
    TypeVar,
    overload,
)

from .blame import blame
from .failure import Disagreement, Property
from .handle import Handle
from .operation import Operation, make_operation, plain_name
from .outcome import Unpredictable
from .pool import Now, Pool

Census: TypeAlias = Mapping[str, object]
"""What a model or a system says it holds: plain values and ids, by name."""

Invariant: TypeAlias = Callable[[Census, Census], None]
"""Asserts what must hold of the model's and the system's census, after every step."""

When: TypeAlias = Callable[[Now], bool]
"""Says whether an operation may come now."""

WORD_BEGINS = r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"  # in TodoLists, and HTTPCache
MANY = 3  # from which counts are alike, for what kind of state a model is in
P = ParamSpec("P")
R = TypeVar("R", covariant=True)
M = TypeVar("M")


class OperationType(Protocol[P]):
    """What a marked method is on its class: it makes the operation, as data."""

    kind: str
    names: tuple[str, ...]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Operation: ...


class Marked(Generic[M, P, R]):
    """A method of a model that `operation` has marked.

    On the class it makes the operation, as data; on a model it is the method.
    """

    def __init__(
        self,
        method: Callable[Concatenate[M, P], R],
        pools: Mapping[str, Any] | None = None,
        weight: int | None = None,
        when: When | None = None,
        breaks: Property | None = None,
    ) -> None:
        self.__doc__ = method.__doc__
        self.__wrapped__ = method
        self.made: type[Operation]
        self.name = method.__name__
        self.pools = pools
        self.weight = weight
        self.when = when
        self.breaks = breaks

    def bind(self, owner: type, name: str) -> None:
        """Make the operation of this name, if that was not done before.

        For a model when its class is made, and not by __set_name__, whose errors Python 3.11 hides
        behind one of its own.
        """
        if "made" in vars(self):
            return
        parameters = dict(list(signature(self.__wrapped__).parameters.items())[1:])
        before = next((b for b in owner.__mro__[1:] if isinstance(vars(b).get(name), Marked)), None)
        if before is not None:
            self._inherit(vars(before)[name], parameters)
        if before is None or self.made.names != tuple(parameters):
            self.made = make_operation(name, parameters, owner, self.__doc__)
        unknown = set(self.pools or ()) - set(self.made.names)
        if unknown:
            raise TypeError(
                f"{owner.__name__}.{name} takes {', '.join(self.made.names) or 'nothing'}, and has "
                f"a pool for {min(unknown)!r}; name the pool as the argument"
            )

    def _inherit(self, base: Marked[Any, Any, Any], parameters: Container[str]) -> None:
        """Be the operation that a base class has, drawn as there where nothing else is said."""
        pools = {name: pool for name, pool in (base.pools or {}).items() if name in parameters}
        self.made = base.made
        self.pools = {**pools, **(self.pools or {})}
        self.weight = base.weight if self.weight is None else self.weight
        self.when = self.when or base.when
        self.breaks = self.breaks or base.breaks

    @overload
    def __get__(self, model: None, owner: type[Any]) -> OperationType[P]: ...
    @overload
    def __get__(self, model: M, owner: type[Any]) -> Callable[P, R]: ...
    def __get__(self, model: M | None, owner: type[Any]) -> Any:
        return self.made if model is None else self.__wrapped__.__get__(model, owner)


class Mark(Protocol):
    """What `operation(...)` returns: it marks a method."""

    def __call__(self, method: Callable[Concatenate[M, P], R], /) -> Marked[M, P, R]: ...


@overload
def operation(method: Callable[Concatenate[M, P], R], /) -> Marked[M, P, R]: ...
@overload
def operation(
    *, weight: int = 1, when: When | None = None, breaks: Property | None = None, **pools: Any
) -> Mark: ...
def operation(
    method: Any = None,
    /,
    *,
    weight: int | None = None,
    when: When | None = None,
    breaks: Property | None = None,
    **pools: Any,
) -> Any:
    """Mark a method of a model as an operation, drawn from these pools.

    Each argument has a pool under its own name; a value that is no Pool is always the same. An
    operation of which every argument has one is played without a scenario. `weight` is how often
    it is tried, against one of weight 1; `when` says whether it may come now; `breaks` is the
    property that a missing or a wrong answer breaks, continuity if nothing is said.

    On the class the method makes the operation as data, `TodoLists.add(l_1, "x")`: frozen, printed
    as the call, one line of JSON. On a model it is the method: what it returns is what is expected
    of the system, a plain value or an outcome.

    A method that overrides an operation of a base class is marked too, and keeps what is not said
    anew. Raises TypeError for an argument with a default pool of another name, or one that a trace
    cannot hold.
    """
    if method is not None:
        return Marked(method)

    def mark(method: Callable[..., Any]) -> Marked[Any, Any, Any]:
        return Marked(method, pools or None, weight, when, breaks)

    return mark


class Model:
    """The simplest system that is plainly right; derive from it, and mark its operations.

    Pure: no clock, no disk, no randomness. It needs no constructor of its own; one that it has is
    given the settings of the run by name. `policy` is what the driver declares where systems
    legitimately differ; give it a default in the class. `settings` are pools, drawn once a run.
    `invariants` are asserted after each step, each under the property that it guards; a part of
    the system's census that only they read is named in `watched`; one that tells of the last step
    alone, as what was closed in it, in `notes`. `overlaps` says, once it is made, whether
    operations go on beside each other in this run: then one may take effect at several moments.
    """

    name: ClassVar[str] = ""
    policy: Any = None  # Any: each model has a type of its own
    settings: ClassVar[Mapping[str, Pool[Any]]] = {}
    invariants: ClassVar[tuple[tuple[Property, Invariant], ...]] = ()
    watched: ClassVar[frozenset[str]] = frozenset()
    notes: ClassVar[frozenset[str]] = frozenset()
    overlaps: bool = False

    _marked: ClassVar[Mapping[str, Marked[Any, Any, Any]]] = {}
    _settles: ClassVar[bool] = False
    _step = 0
    _told: dict[object, list[object]] | None = None

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "name" not in vars(cls):
            cls.name = re.sub(WORD_BEGINS, "_", cls.__name__).lower()
        found = _marked_in(cls)
        taken = sorted(found.keys() & RESERVED_NAMES)
        if taken:
            raise TypeError(
                f"{cls.__name__}.{taken[0]} is an operation, and every model, driver or scenario "
                f"has a {taken[0]!r} of its own; rename the operation"
            )
        cls._marked = found
        cls._settles = cls.settle is not Model.settle
        for name, marked in found.items():
            setattr(cls, plain_name(name), marked.__wrapped__)

    @classmethod
    def kinds(cls) -> dict[str, type[Operation]]:
        """Return the operations by the names that traces use, in the order of their definition."""
        return {name: marked.made for name, marked in cls._marked.items()}

    def at(self, step: int) -> Self:
        """Take the number of the step that comes next, after which ids are named."""
        self._step = step
        return self

    def new(self, kind: str) -> Handle:
        """Name what this step brings back and only the system knows: `l_3`, `l` being the kind."""
        return Handle(kind, self._step)

    def tell(self, to: Hashable, what: object) -> None:
        """Note that somebody is told something, as a callback, a handler or a socket is.

        It is part of the outcome, and compared by addressee and in order with what the driver's
        own `tell` noted.
        """
        self._told = self._told or {}
        self._told.setdefault(to, []).append(what)

    def settle(self) -> None:
        """Do what comes of an operation by itself; called when each was taken. Nothing, here."""

    def goes_on(self) -> Sequence[int]:
        """Return the numbers of the steps that have more to do now, in a run that overlaps.

        What an operation does after its first moment is done by `go_on`, a moment each time,
        between moments of others; once the system is quiet, nothing goes on here. None, here.
        """
        return ()

    def go_on(self, step: int) -> object:
        """Do the next thing that a step has to do; return its outcome, once that is known.

        Else LATER, as the operation itself has returned that, or what the caller was told already.
        """
        raise NotImplementedError(f"{type(self).__name__} says that step {step} goes on")

    def leave_off(self, step: int) -> None:
        """Do nothing more of a step, whose caller has left: that is one way in which it can end."""
        raise Unpredictable(f"what is left of step {step}, whose caller has left")

    def census(self) -> Census:
        """Return what a right system holds now, by name; in proportion to what is live."""
        return {}

    def shape(self) -> Hashable:
        """Return what kind of state this is, the same for states that differ in names only.

        How much there is of each part of the census, and of each item in it, up to MANY.
        """
        return tuple((name, form(value)) for name, value in sorted(self.census().items()))

    def teardown(self) -> Iterable[Operation]:
        """Yield, one by one, the operations that take this model from where it is back to empty."""
        return ()

    def belongs_to(self, value: object) -> object:
        """Return whose a value is that a system may show: an owner, a set of them, or None.

        A value that the model did not expect breaks isolation where it is another's: in an answer,
        than the owners of the operation's arguments; in what is told, than the addressee and its
        owners.
        """
        del value
        return None

    def blame(self, asked: Operation, disagreement: Disagreement) -> Property:
        """Return which property a disagreement breaks.

        What is shown or held too much is isolation if it `belongs_to` another, else memory; what
        is missing or wrong is what the operation `breaks`.
        """
        breaks = self._marked[asked.kind].breaks or Property.CONTINUITY
        return blame(self.belongs_to, asked, disagreement, breaks)


# What a model, a driver and a scenario have for themselves, and no operation can be called.
RESERVED_NAMES = frozenset(
    {
        *(name for name in vars(Model) if not name.startswith("_")),
        *(
            "bounds",
            "clock",
            "clocked",
            "close",
            "discard_notes",
            "foreign",
            "known",
            "model",
            "mutates",
            "pinned",
        ),
        "pump",
        *("cancels", "io", "overlap"),
        *("refuses", "reset", "roots", "start", "threaded", "through"),
        *("changed", "is_bare", "rules"),
    }
)


def _marked_in(model: type) -> dict[str, Marked[Any, Any, Any]]:
    """Return the operations of a class and its bases, in the order of their definition.

    Raises TypeError for a method that would hide one.
    """
    found: dict[str, Marked[Any, Any, Any]] = {}
    for base in reversed(model.__mro__):
        for name, value in vars(base).items():
            if isinstance(value, Marked):
                value.bind(base, name)
                found[name] = value
            elif name in found and value is None:
                del found[name]  # taken back
            elif name in found:
                raise TypeError(
                    f"{base.__name__}.{name} overrides an operation and is none itself; mark it "
                    f"with @operation, or take the operation back with {name} = None"
                )
    return found


def form(value: object) -> Hashable:
    """Return how much there is of a value and its items, without their names."""
    if isinstance(value, Mapping):
        return tuple(sorted(str(form(item)) for item in value.values()))
    if isinstance(value, (list, tuple, set, frozenset)) and type(value) is not Handle:
        return min(MANY, len(value))
    return min(MANY, value) if isinstance(value, int) else type(value).__name__
