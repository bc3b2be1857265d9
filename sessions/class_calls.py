"""Let a method be called on its class as well, where it uses the process default."""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import TYPE_CHECKING, Concatenate, Generic, ParamSpec, TypeVar

from sessions.default import default_system

if TYPE_CHECKING:
    from sessions.ids import UnifiedIdGenerator

P = ParamSpec("P")
T = TypeVar("T")


class OnDefaultToo(Generic[P, T]):
    """A method of UnifiedIdGenerator: of an instance, or of the default's generator.

    The seeds call everything on the class. An instance keeps its own state all the same.
    """

    def __init__(self, method: Callable[Concatenate[UnifiedIdGenerator, P], T]) -> None:
        self.__doc__ = method.__doc__
        self._method = method
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(
        self, instance: UnifiedIdGenerator | None, owner: type[UnifiedIdGenerator]
    ) -> Callable[P, T]:
        bound: Callable[P, T]
        if instance is None:
            bound = getattr(default_system().ids, self._name)
        else:
            bound = MethodType(self._method, instance)
        return bound
