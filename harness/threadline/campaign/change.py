"""A change of one line in one function, for as long as it is asked for."""

from __future__ import annotations
import __future__

import ast
import importlib
import inspect
import textwrap
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from types import CodeType, FunctionType
from typing import Any

from ..loading import BadName

PARTS = ("__code__", "__defaults__", "__kwdefaults__")  # of a function, that its source decides
IN_FORCE = "__threadline_change__"
KEPT_MAX = 32  # changes that are kept compiled; a mutant has one or a few


class BadChange(BadName):
    """A change that cannot be made as it is written; says what is there instead."""


@dataclass(frozen=True, slots=True)
class Change:
    """The source of a function in which `new` stands in the place of `old`.

    function: the dotted path of a function, method or property written in Python, as in
      shop.cart.Cart.add; of a property it is the getter.
    old: a piece of its source that occurs exactly once, so that a change cannot rot silently.
    new: any text; further lines of it are indented as the line is in which `old` begins.

    The changed source is compiled in the names of the function's own module, and its code takes
    the place of the function's: whoever holds the function sees the change, at once.
    """

    function: str
    old: str
    new: str

    def apply(self) -> Callable[[], None]:
        """Make the change, and return what undoes it.

        Raises BadChange where the path leads to no function, `old` does not occur exactly once,
        the new source cannot be compiled, or another change of the function is in force.
        """
        function = _found(self.function)
        if hasattr(function, IN_FORCE):
            raise BadChange(
                f"{self.function} is changed already; write both changes as one, or close the "
                "driver of the mutant that has changed it"
            )
        changed = self._compiled(function)
        undo = partial(_undo, function, *(getattr(function, name) for name in PARTS))
        for name in PARTS:
            setattr(function, name, getattr(changed, name))
        setattr(function, IN_FORCE, self)
        return undo

    def _compiled(self, function: FunctionType) -> FunctionType:
        code = function.__code__
        scope: dict[str, Any] = {}
        exec(_source_compiled(self, code, code.co_filename), function.__globals__, scope)
        made = scope[code.co_name](*code.co_freevars) if code.co_freevars else scope[code.co_name]
        assert isinstance(made, FunctionType)
        made.__code__ = made.__code__.replace(co_qualname=code.co_qualname)
        return made

    def changed(self, source: str, place: str) -> str:
        """Return a source with `new` in the place of `old`; raises BadChange where it cannot be."""
        times = source.count(self.old) if self.old else 0
        if times != 1 or self.old == self.new:
            what = f"occurs {times} times" if times != 1 else "is also what it is changed to"
            raise BadChange(
                f"{self.old!r} {what} in {self.function}; give a text that occurs once in the "
                f"function at {place}, and another to take its place"
            )
        line = source[: source.index(self.old)].rpartition("\n")[2]
        indent = " " * (len(line) - len(line.lstrip()))
        return source.replace(self.old, self.new.replace("\n", "\n" + indent))


@lru_cache(KEPT_MAX)
def _source_compiled(change: Change, code: CodeType, file: str) -> CodeType:
    """Compile a function's source with a change, once for all the drivers of a mutant.

    Code may be equal though it comes from another file.
    """
    try:
        lines, first = inspect.getsourcelines(code)
    except OSError as error:
        raise BadChange(f"{change.function} has no source to change: {error}") from error
    flags = code.co_flags & __future__.annotations.compiler_flag
    try:
        source = change.changed(textwrap.dedent("".join(lines)), f"{file}:{first}")
        tree = ast.increment_lineno(_alone(ast.parse(source), code.co_freevars), first - 1)
        compiled: CodeType = compile(tree, file, "exec", flags, dont_inherit=True)
    except SyntaxError as error:
        raise BadChange(
            f"{change.function} cannot be compiled with {change.new!r}: {error}"
        ) from None
    return compiled


@contextmanager
def applied(changes: Iterable[Change]) -> Iterator[None]:
    """Make all of these changes for a block; raises BadChange, and has then changed nothing."""
    with ExitStack() as undoes:
        for change in changes:
            undoes.callback(change.apply())
        yield


def _found(path: str) -> FunctionType:
    """Return the function that a dotted path leads to, looking through properties and methods."""
    parts = path.split(".")
    for length in range(len(parts) - 1, 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError as error:
            if f"{path}.".startswith(f"{error.name}."):
                continue
            raise BadChange(f"{path} cannot be imported: {error}") from error
        for name in parts[length:]:
            try:
                found = inspect.getattr_static(found, name)
            except AttributeError:
                raise BadChange(f"{path}: there is no {name!r} in {found!r}") from None
        found = getattr(found, "__func__", None) or getattr(found, "fget", None) or found
        found = inspect.unwrap(found) if callable(found) else found
        if not isinstance(found, FunctionType):
            raise BadChange(f"{path} is {found!r}, and no function; name a function or a method")
        return found
    raise BadChange(
        f"{path}: there is no such module; write module.function or module.Class.method"
    )


def _alone(tree: ast.Module, free: tuple[str, ...]) -> ast.Module:
    """Return the source of a function without its decorators, to be compiled as a module of its
    own.

    A function with free variables, as one that calls super() has, is nested in a function that
    defines these names. It keeps them even if the change removes their only use, because their
    number must not change.
    """
    [function] = tree.body
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    function.decorator_list = []
    if not free:
        return tree
    function.body += ast.parse(f"if False:\n    {'; '.join(free)}").body
    name = function.name
    outer = ast.parse(f"def {name}({', '.join(free)}):\n    return {name}")
    [closure] = outer.body
    assert isinstance(closure, ast.FunctionDef)
    closure.body.insert(0, function)
    return ast.fix_missing_locations(outer)


def _undo(function: FunctionType, *parts: object) -> None:
    for name, part in zip(PARTS, parts, strict=True):
        setattr(function, name, part)
    delattr(function, IN_FORCE)
