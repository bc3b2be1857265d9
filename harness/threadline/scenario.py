"""A scenario: a plain class of rules, from which every engine takes what to try."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, ClassVar, Generic, TypeVar, get_args

from .goal import Goal
from .model import Model
from .operation import Operation
from .pool import Pool
from .rule import Draft, Rule, own_rule

M = TypeVar("M", bound=Model)


class Scenario(Generic[M]):
    """What is tried on the systems of one model; derive from `Scenario[YourModel]`.

    It begins with every operation that has a pool for each of its arguments. `name = rule(...)`
    adds a rule, or takes the place of the operation of that name; `name = None` takes one out. A
    class derived with `bare=True` begins with nothing: what it lists is all that is tried.

    `name = sometimes(...)` is a goal: what has to happen in some runs, or else they show little.

    `settings` are drawn once per run, and given to the model and to the driver by name.

    With `overlap`, operations begin while others go on, and are judged together; with `cancels`,
    some of their callers are cancelled in the middle, and nobody knows what became of the call.
    """

    model: ClassVar[type[Model]]
    settings: ClassVar[Mapping[str, Pool[Any]]] = {}
    overlap: ClassVar[bool] = False
    cancels: ClassVar[bool] = False
    is_bare: ClassVar[bool] = False

    def __init_subclass__(cls, *, bare: bool = False) -> None:
        super().__init_subclass__()
        cls.is_bare = bare or any(getattr(base, "is_bare", False) for base in cls.__bases__)
        for base in vars(cls).get("__orig_bases__", ()):
            for argument in get_args(base):
                if isinstance(argument, type) and issubclass(argument, Model):
                    cls.model = argument
        if "settings" not in vars(cls) and cls.settings is Scenario.settings:
            cls.settings = cls.model.settings if hasattr(cls, "model") else {}

    @classmethod
    def rules(cls, lacks: tuple[type[Operation], ...] = ()) -> list[Rule]:
        """Return the rules, in the order of their definition, whose operations are not lacking.

        Raises ValueError where none is left.
        """
        own: Any = cls  # a class is hashable, which mypy does not see of a generic one
        rules = [rule for rule in _rules_of(own) if rule.operation not in lacks]
        if not rules:
            raise ValueError(f"{cls.__name__} has no rule for what the driver offers; add a rule")
        return rules

    @classmethod
    def goals(cls) -> list[Goal]:
        """Return what has to happen in some runs, those of the classes it derives from first."""
        found: dict[str, object] = {}
        for base in reversed(cls.__mro__):
            found |= vars(base)
        return [value for value in found.values() if isinstance(value, Goal)]

    @classmethod
    def identities(cls) -> tuple[str, ...]:
        """Return the names of users and the like that its rules draw: each once, in their order."""
        pools = (drawn for rule in cls.rules() for _, drawn in rule.pools)
        return tuple(dict.fromkeys(name for drawn in pools for name in drawn.identities))

    @classmethod
    def changed(cls, change: Callable[[Rule], Rule]) -> type[Scenario[Any]]:
        """Return the scenario with each of its rules changed."""
        rules = {rule.name: change(rule) for rule in cls.rules()}
        return type(cls.__name__, (cls,), {**rules, "__module__": cls.__module__})


@cache
def _rules_of(scenario: type[Scenario[Any]]) -> list[Rule]:
    marks = scenario.model._marked
    found: dict[str, Rule | Draft] = {}
    if not scenario.is_bare:
        own = ((name, own_rule(name, marked)) for name, marked in marks.items())
        found |= {name: rule for name, rule in own if rule is not None}
    for base in reversed(scenario.__mro__):
        for name, value in vars(base).items():
            if isinstance(value, (Draft, Rule)):
                found[name] = value
            elif not name.startswith("_"):
                found.pop(name, None)  # taken out with name = None
    return [
        value.rule(name, _marked(scenario, name, value)) if isinstance(value, Draft) else value
        for name, value in found.items()
    ]


def _marked(scenario: type[Scenario[Any]], name: str, draft: Draft) -> Any:
    """Return how the scenario's model has marked the operation of a rule."""
    kind = getattr(draft.operation, "kind", None)
    marked = scenario.model._marked.get(kind or "")
    if marked is None or marked.made is not draft.operation:
        raise TypeError(
            f"{scenario.__name__}.{name} is a rule of {kind or draft.operation!r}, which is no "
            f"operation of {scenario.model.__name__}; write rule({scenario.model.__name__}.NAME)"
        )
    return marked


@cache
def own_scenario(model: type[Model]) -> type[Scenario[Any]]:
    """Return what is tried where no scenario says it: all operations with their own pools.

    Raises TypeError where an operation has an argument without a pool.
    """
    for kind, marked in model._marked.items():
        missing = [name for name in marked.made.names if name not in (marked.pools or {})]
        if missing:
            raise TypeError(
                f"{model.__name__}.{kind} has no pool for {', '.join(missing)}; give it one, "
                f"@operation({missing[0]}=pool(...)), or write a scenario"
            )
    body = {"model": model, "settings": model.settings, "__doc__": model.__doc__}
    return type(model.__name__, (Scenario,), {**body, "__module__": model.__module__})
