"""A plugin of mypy: it checks the arguments of operations in rules, pools and drivers.

To switch it on, where threadline is installed beside mypy 1.18 or a later one:

    [tool.mypy]
    plugins = ["threadline.mypy_plugin"]

It checks what types alone cannot say:

- the pools of `rule(TodoLists.add, todo=OPEN, text=TEXTS)`: their names, and what they give
- the pools of `@operation(text=TEXTS)`
- the methods of a `Driver[TodoLists]`: they take what those of the model take

Its errors have the code [threadline]. It says nothing of what it does not understand: values of
type Any or object, type variables, arguments with `*`, methods behind a decorator without types.
A driver's own values stand in the place of handles, so what may be one may be of any type there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from mypy.erasetype import remove_instance_last_known_values
from mypy.errorcodes import ErrorCode
from mypy.messages import format_type_bare
from mypy.nodes import (
    ARG_NAMED,
    ARG_POS,
    ARG_STAR,
    ArgKind,
    CallExpr,
    ClassDef,
    Context,
    Decorator,
    Expression,
    FuncDef,
    MemberExpr,
    NameExpr,
    RefExpr,
    SymbolTableNode,
    TypeInfo,
)
from mypy.options import Options
from mypy.plugin import (
    CheckerPluginInterface,
    ClassDefContext,
    FunctionContext,
    MethodContext,
    Plugin,
)
from mypy.typeops import make_simplified_union
from mypy.types import (
    AnyType,
    CallableType,
    Instance,
    LiteralType,
    Parameters,
    ProperType,
    TupleType,
    Type,
    TypeOfAny,
    UnionType,
    UnpackType,
    get_proper_type,
)
from mypy.typevars import fill_typevars

from .mypy_fits import alternatives, as_class, fits, may_be_handle

RULE = "threadline.rule.rule"
POOL = "threadline.pool.Pool"
MAKES_POOL = "threadline.pool.pool"
MARKS = "threadline.model.operation"
MARKED = "threadline.model.Marked"
MODEL = "threadline.model.Model"
OPERATION = "threadline.model.OperationType"
DRIVER = "threadline.driver.Driver"
NO_POOLS = frozenset({"weight", "when", "breaks"})  # what else @operation takes
NOTED = "threadline"  # by which name a class notes which arguments of its operations have pools
CODE = ErrorCode("threadline", "Check the arguments of operations", "Threadline")

T = TypeVar("T")


def plugin(version: str) -> type[Plugin]:
    """Return the plugin; mypy calls this, and gives its version."""
    del version
    return ThreadlinePlugin


class ThreadlinePlugin(Plugin):
    """Names the hooks that mypy calls, and keeps the classes that it has met."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._classes: dict[tuple[str, int], ClassDef] = {}  # by path and line

    def get_function_hook(self, fullname: str) -> Callable[[FunctionContext], Type] | None:
        return {RULE: _see_rule, MAKES_POOL: _see_pool}.get(fullname)

    def get_base_class_hook(self, fullname: str) -> Callable[[ClassDefContext], None] | None:
        return self._note_class if self._is_ours(fullname) else None

    def get_method_hook(self, fullname: str) -> Callable[[MethodContext], Type] | None:
        """Return the hook for __init_subclass__ of a base, which mypy calls for each class."""
        base, _, name = fullname.rpartition(".")
        return self._see_class if name == "__init_subclass__" and self._is_ours(base) else None

    def _is_ours(self, fullname: str) -> bool:
        symbol = self.lookup_fully_qualified(fullname)
        node = symbol.node if symbol else None
        return isinstance(node, TypeInfo) and (node.has_base(MODEL) or node.has_base(DRIVER))

    def _note_class(self, context: ClassDefContext) -> None:
        made = context.cls
        self._classes[context.api.modules[context.api.cur_mod_id].path, made.line] = made
        if made.info.has_base(MODEL):
            made.info.metadata[NOTED] = _quietly(lambda: _pools_in(made), {})

    def _see_class(self, context: MethodContext) -> Type:
        made = self._classes.get((context.api.path, context.context.line))
        if made is not None:
            check = _check_model if made.info.has_base(MODEL) else _check_driver
            _quietly(lambda: check(made, context.api), None)
        return context.default_return_type


def _quietly(check: Callable[[], T], instead: T) -> T:
    """Return what a check returns, or `instead` where it fails.

    mypy promises little to plugins, and a plugin that fails must not stop mypy for its users.
    """
    try:
        return check()
    except Exception:
        return instead


class Given(NamedTuple):
    """The values that an argument is given, and how: "its pool gives int"."""

    name: str
    type: Type
    said: str
    node: Context


class Parameter(NamedTuple):
    """A parameter of a driver's method."""

    name: str | None
    kind: ArgKind
    type: Type


@dataclass(frozen=True, slots=True)
class Taken:
    """What an operation takes: the type of each argument, and which have no default."""

    title: str
    types: dict[str, Type]
    required: frozenset[str]

    def __str__(self) -> str:
        return f"{self.title} takes {', '.join(self.types) or 'nothing'}"


def _see_pool(context: FunctionContext) -> Type:
    """Return Pool[int | str] for pool(1, "a"), of which mypy itself makes a Pool[object]."""
    return _quietly(lambda: _pool_of(context), context.default_return_type)


def _pool_of(context: FunctionContext) -> Type:
    made = get_proper_type(context.default_return_type)
    wanted = context.api.type_context[-1]
    is_wanted = wanted is not None and not isinstance(get_proper_type(wanted), AnyType)
    has_star = any(kind.is_star() for kind in context.arg_kinds[0])
    if is_wanted or has_star or not context.arg_types[0] or not isinstance(made, Instance):
        return context.default_return_type
    values = [remove_instance_last_known_values(each) for each in context.arg_types[0]]
    return made.copy_modified(args=[make_simplified_union(values)])


def _see_rule(context: FunctionContext) -> Type:
    _quietly(lambda: _check_rule(context), None)
    return context.default_return_type


def _check_rule(context: FunctionContext) -> None:
    (operation,), api = context.args[0], context.api
    marked = as_class(context.arg_types[0][0], OPERATION)
    taken = _taken(marked.args[0], _title(operation)) if marked else None
    if taken is None:
        return
    place = context.callee_arg_names.index("pools")
    named = list(
        zip(context.arg_names[place], context.arg_types[place], context.args[place], strict=True)
    )
    pools = [_given(name, type_, node) for name, type_, node in named if name is not None]
    place = context.callee_arg_names.index("together")
    tuples = [
        _given_together(each, taken, node)
        for pool, node in zip(context.arg_types[place], context.args[place], strict=True)
        for each in alternatives(_given("", pool, node).type)
    ]
    all_given = [*pools, *(given for each in tuples for given in each or ())]
    wrong = [given for given in all_given if not _check_given("rule", taken, given, api)]
    if not wrong and len(pools) == len(named) and None not in tuples:  # there is no **pools
        sure = _given_anyway(taken, tuples, operation) | {given.name for given in pools}
        missing = [name for name in taken.types if name not in sure]
        if missing:
            api.fail(
                f"rule: {taken}, and nothing gives {', '.join(missing)}; "
                "give each argument a pool of its name",
                context.context,
                code=CODE,
            )


def _given_anyway(
    taken: Taken, tuples: list[list[Given] | None], operation: Expression
) -> set[str]:
    """Return the arguments that a rule need not name: those of each tuple, or with own pools."""
    if not tuples:
        own = _own_pools(operation)
        return set(taken.types) if own is None else own
    optional = taken.types.keys() - taken.required
    return optional | set.intersection(*({given.name for given in each or ()} for each in tuples))


def _check_given(what: str, taken: Taken, given: Given, api: CheckerPluginInterface) -> bool:
    """Report what is wrong with what an argument is given; return whether nothing is."""
    wanted = taken.types.get(given.name)
    if wanted is None:
        message = (
            f"{what}: {taken}, and is given {given.name!r}; give each argument a pool of its name"
        )
    elif fits(given.type, wanted):
        return True
    else:
        values = format_type_bare(given.type, api.options)
        message = (
            f"{what}: {given.name} of {taken.title} is {_a(wanted, api)}, and {given.said} {values}"
        )
    api.fail(message, given.node, code=CODE)
    return False


def _given(name: str, given: Type, node: Context) -> Given:
    """Return the values that a pool gives, a tuple of pools, or a constant."""
    pool = as_class(given, POOL)
    if pool is not None:
        return Given(name, pool.args[0], "its pool gives", node)
    given = get_proper_type(given)
    if isinstance(given, UnionType):  # a pool or another, a pool or a constant
        items = [_given(name, item, node) for item in given.items]
        return Given(name, UnionType.make_union([item.type for item in items]), items[0].said, node)
    if isinstance(given, TupleType):
        pools = [as_class(item, POOL) for item in given.items]
        if pools and all(pools):
            items_ = given.copy_modified(items=[pool.args[0] for pool in pools if pool])
            return Given(name, items_, "its pools give", node)
    return Given(name, given, "it is given", node)


def _given_together(given: ProperType, taken: Taken, node: Context) -> list[Given] | None:
    """Return what a tuple gives: the first arguments, or by name those that it has fields for.

    None where that is not known.
    """
    if not isinstance(given, TupleType) or any(isinstance(i, UnpackType) for i in given.items):
        return None
    said = "the pool without a name gives it"
    match = given.partial_fallback.type.get("__match_args__")
    fields = get_proper_type(match.type) if match else None
    if isinstance(fields, TupleType):  # of a named tuple
        literals = [get_proper_type(field) for field in fields.items]
        names = [str(each.value) for each in literals if isinstance(each, LiteralType)]
    else:
        names = [*taken.types, *map(str, range(len(taken.types) + 1, len(given.items) + 1))]
    return [Given(name, item, said, node) for name, item in zip(names, given.items, strict=False)]


def _check_model(made: ClassDef, api: CheckerPluginInterface) -> None:
    """Check the pools that stand in the marks of a model's operations."""
    operations = dict(_operations(made.info))
    for method in made.defs.body:
        mark = _mark(method) if isinstance(method, Decorator) else None
        taken = operations.get(method.name) if isinstance(method, Decorator) else None
        if taken is None or mark is None:
            continue
        for name, node in zip(mark.arg_names, mark.args, strict=True):
            if name is not None and name not in NO_POOLS:
                with api.msg.filter_errors():  # each was told when the call itself was checked
                    type_ = api.get_expression_type(node)
                _check_given("operation", taken, _given(name, type_, node), api)


def _check_driver(made: ClassDef, api: CheckerPluginInterface) -> None:
    """Check that the methods of a driver take what its model's operations take."""
    model = _model_of(made.info)
    for kind, taken in _operations(model) if model else ():
        owner = next((base for base in made.info.mro if kind in base.names), None)
        if owner is None or owner.fullname == DRIVER:
            continue
        if owner is not made.info and owner.has_base(DRIVER) and _model_of(owner) is model:
            continue  # checked where it stands
        symbol = owner.names[kind]
        parameters = _parameters(symbol)
        if parameters is not None:
            node = symbol.node if owner is made.info else None
            _check_method(taken, f"{owner.name}.{kind}", parameters, node or made, api)


def _check_method(
    taken: Taken,
    title: str,
    parameters: list[Parameter],
    node: Context,
    api: CheckerPluginInterface,
) -> None:
    """Check one method of a driver, which is called with the model's arguments in their order."""
    plain = [each for each in parameters if each.kind.is_positional()]
    takes_more = any(each.kind is ARG_STAR for each in parameters)
    least = sum(each.kind is ARG_POS for each in plain)
    is_other = least > len(taken.types) or (len(plain) < len(taken.types) and not takes_more)
    needs_names = any(each.kind is ARG_NAMED for each in parameters)
    if is_other or needs_names or any(map(_is_named_otherwise, plain, taken.types)):
        names = ", ".join(each.name or "_" for each in parameters) or "nothing"
        api.fail(f"driver: {taken}, and {title} takes {names}", node, code=CODE)
        return
    for each, (name, given) in zip(plain, taken.types.items(), strict=False):
        if not may_be_handle(given) and not fits(given, each.type):
            what = f"{name} of {taken.title} is {_a(given, api)}"
            api.fail(f"driver: {what}, and {title} takes {_a(each.type, api)}", node, code=CODE)


def _is_named_otherwise(parameter: Parameter, name: str) -> bool:
    """Return whether a parameter has another name; one that is not used may begin with _."""
    found = parameter.name
    return found is not None and found != "_" and found.lstrip("_") != name.lstrip("_")


def _taken(parameters: Type, title: str) -> Taken | None:
    """Return what an operation takes; None for what is no operation, or not known."""
    parameters = get_proper_type(parameters)
    if not isinstance(parameters, Parameters) or parameters.is_ellipsis_args:
        return None
    names, kinds = parameters.arg_names, parameters.arg_kinds
    if not all(names) or not all(kind.is_positional() for kind in kinds):
        return None
    types = {name or "": type_ for name, type_ in zip(names, parameters.arg_types, strict=True)}
    required = (name for name, kind in zip(types, kinds, strict=True) if kind is ARG_POS)
    return Taken(title, types, frozenset(required))


def _operations(model: TypeInfo) -> Iterator[tuple[str, Taken]]:
    """Yield the operations of a model and its bases, by name."""
    for name in {name: None for base in model.mro for name in base.names}:
        symbol = model.get(name)
        marked = as_class(symbol.type, MARKED) if symbol else None
        taken = _taken(marked.args[1], f"{model.name}.{name}") if marked else None
        if taken is not None:
            yield name, taken


def _model_of(driver: TypeInfo) -> TypeInfo | None:
    found = as_class(fill_typevars(driver), DRIVER)
    model = get_proper_type(found.args[0]) if found else None
    return model.type if isinstance(model, Instance) and model.type.has_base(MODEL) else None


def _parameters(symbol: SymbolTableNode) -> list[Parameter] | None:
    """Return what a method takes beside self; None for what is no method, or not known."""
    node, type_ = symbol.node, get_proper_type(symbol.type)
    if isinstance(node, FuncDef) and type_ is None:  # without annotations
        types: list[Type] = [AnyType(TypeOfAny.unannotated) for _ in node.arg_kinds]
        found = list(map(Parameter, node.arg_names, node.arg_kinds, types))
    elif isinstance(node, (FuncDef, Decorator)) and isinstance(type_, CallableType):
        found = list(map(Parameter, type_.arg_names, type_.arg_kinds, type_.arg_types))
    else:
        return None
    method = node.func if isinstance(node, Decorator) else node
    if method.is_property or (isinstance(type_, CallableType) and type_.is_ellipsis_args):
        return None
    has_self = not method.is_static and bool(found) and found[0].kind.is_positional()
    return found[1:] if has_self else found


def _mark(method: Decorator) -> CallExpr | None:
    """Return the call of `operation` that marks a method, if one does."""
    for each in method.original_decorators:
        if isinstance(each, CallExpr) and _fullname(each.callee) == MARKS:
            return each
    return None


def _pools_in(model: ClassDef) -> dict[str, list[str] | None]:
    """Return which arguments of its own operations a model has pools for; None if not known."""
    found: dict[str, list[str] | None] = {}
    for method in model.defs.body:
        if isinstance(method, Decorator):
            mark = _mark(method)
            is_bare = any(_fullname(each) == MARKS for each in method.original_decorators)
            names = mark.arg_names if mark else []
            is_known = (mark or is_bare) and None not in names
            named = [name for name in names if name is not None and name not in NO_POOLS]
            found[method.name] = named if is_known else None
    return found


def _own_pools(operation: Expression) -> set[str] | None:
    """Return which arguments of an operation have a pool in its model; None if not known."""
    if not isinstance(operation, MemberExpr) or not isinstance(operation.expr, RefExpr):
        return None
    model, found = operation.expr.node, set[str]()
    if not isinstance(model, TypeInfo):
        return None
    for base in model.mro:
        if operation.name in base.names:
            own = base.metadata.get(NOTED, {}).get(operation.name)
            if own is None:
                return None
            found |= set(own)
    return found


def _fullname(node: Expression) -> str:
    return node.fullname if isinstance(node, RefExpr) else ""


def _title(operation: Expression) -> str:
    """Return an operation as it is written: TodoLists.add."""
    if not isinstance(operation, (NameExpr, MemberExpr)):
        return "the operation"
    owner = _title(operation.expr) + "." if isinstance(operation, MemberExpr) else ""
    return owner + operation.name


def _a(given: Type, api: CheckerPluginInterface) -> str:
    """Return a type as a sentence says it: a str, an int, str | None."""
    name = format_type_bare(given, api.options)
    if not name.isidentifier() or name in ("None", "Any"):
        return name
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"
