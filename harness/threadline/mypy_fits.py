"""Whether values of one type can be given for another, as far as mypy's types tell."""

from __future__ import annotations

from mypy.maptype import map_instance_to_supertype
from mypy.subtypes import is_subtype
from mypy.types import (
    Instance,
    LiteralType,
    ProperType,
    TupleType,
    Type,
    UnionType,
    UnpackType,
    get_proper_type,
    has_type_vars,
)

HANDLE = "threadline.handle.Handle"
OBJECT = "builtins.object"
TUPLE = "builtins.tuple"


def fits(given: Type, wanted: Type) -> bool:
    """Return whether all values of a type can be given; where that is not known, they can.

    mypy makes an object, or an abstract class, of values that have little in common, and a str of
    those that a literal could be.
    """
    given, wanted = get_proper_type(given), get_proper_type(wanted)
    if isinstance(given, UnionType):
        return all(fits(item, wanted) for item in given.items)
    if isinstance(given, UnpackType) or has_type_vars(wanted) or is_subtype(given, wanted):
        return True
    if isinstance(wanted, UnionType):
        return any(fits(given, item) for item in wanted.items)
    if isinstance(given, TupleType) or (isinstance(given, Instance) and given.type.has_base(TUPLE)):
        return _tuple_fits(given, wanted)
    if not isinstance(given, Instance):
        return False
    if isinstance(wanted, LiteralType):
        return given.last_known_value is None and is_subtype(wanted.fallback, given)
    is_vague = given.type.fullname == OBJECT or given.type.is_abstract or given.type.is_protocol
    return is_vague and is_subtype(wanted, given)


def _tuple_fits(given: TupleType | Instance, wanted: ProperType) -> bool:
    """Return whether the items of a tuple can be those of another; of an Instance all are alike."""
    items = given.items if isinstance(given, TupleType) else list(given.args)
    kind = given.partial_fallback.type if isinstance(given, TupleType) else given.type
    if isinstance(wanted, Instance):  # tuple[T, ...], Sequence[T]
        is_alike = len(wanted.args) == 1 and kind.has_base(wanted.type.fullname)
        return is_alike and all(fits(item, wanted.args[0]) for item in items)
    if not isinstance(wanted, TupleType) or wanted.partial_fallback.type.fullname != TUPLE:
        return False
    if any(isinstance(item, UnpackType) for item in (*items, *wanted.items)):
        return True
    if isinstance(given, Instance):  # of any length
        items = items * len(wanted.items)
    is_as_long = len(items) == len(wanted.items)
    return is_as_long and all(map(fits, items, wanted.items))


def may_be_handle(given: Type) -> bool:
    given = get_proper_type(given)
    if isinstance(given, UnionType):
        return any(map(may_be_handle, given.items))
    if isinstance(given, TupleType):
        is_handle = given.partial_fallback.type.fullname == HANDLE
        return is_handle or any(map(may_be_handle, given.items))
    if isinstance(given, Instance):
        return given.type.fullname in (HANDLE, OBJECT) or any(map(may_be_handle, given.args))
    return False


def alternatives(given: Type) -> list[ProperType]:
    given = get_proper_type(given)
    items = given.items if isinstance(given, UnionType) else [given]
    return [get_proper_type(item) for item in items]


def as_class(given: Type | None, fullname: str) -> Instance | None:
    """Return a type as the class of this name that it is or derives from."""
    given = get_proper_type(given)
    bases = given.type.mro if isinstance(given, Instance) else []
    found = next((base for base in bases if base.fullname == fullname), None)
    if not isinstance(given, Instance) or found is None:
        return None
    return map_instance_to_supertype(given, found)
