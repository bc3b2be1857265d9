"""Putting in: a changed source takes the place of the code of live functions, and is taken out."""

from __future__ import annotations

import ast
import functools
import gc
import inspect
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import CodeType, FunctionType

from .edits import Edit, Function

Key = tuple[str, str, int]  # of a function: its file, its qualified name, its first line
Pair = tuple[CodeType, CodeType]


class CannotPutIn(ValueError):
    """An edit that no live function can take; says which, and why."""


class Live:
    """The functions of some files that exist now, to be found by where their code stands.

    Among them are methods of every kind, properties with their setters, generators, coroutines, the
    functions that a decorator has wrapped, and closures that were made on import. A function that
    is made later, within another, is changed with that one. Caches of functools are emptied with
    each change, as they hold what the code before has returned.
    """

    def __init__(self, files: Iterable[str]) -> None:
        self._functions: Mapping[Key, list[FunctionType]] = defaultdict(list)
        self._caches = []
        wanted = set(files)
        for each in gc.get_objects():
            if type(each) is FunctionType and each.__code__.co_filename in wanted:
                self._functions[_key(each.__code__)].append(each)
            elif type(each) is functools._lru_cache_wrapper:
                inner = inspect.unwrap(each)
                if getattr(inner, "__code__", _NO_CODE).co_filename in wanted:
                    self._caches.append(each)

    @contextmanager
    def changed(self, file: str, source: str, edit: Edit) -> Iterator[None]:
        """Make one edit of a file's source for a block; raises CannotPutIn.

        The whole source is compiled, so that private names, super() and annotations mean what they
        mean in its place. A mutant's Change is made in another way: it finds a function by its
        dotted path, which neither a setter nor what a decorator has wrapped needs to have.
        """
        taken = []
        try:
            for function, code in self._changes(file, source, edit):
                taken.append((function, function.__code__))
                function.__code__ = code
            self._forget()
            yield
        finally:
            for function, before in taken:
                function.__code__ = before
            self._forget()

    def _changes(self, file: str, source: str, edit: Edit) -> list[tuple[FunctionType, CodeType]]:
        text = changed_source(source, edit)
        tree = ast.parse(text, file)
        before, after = compile(source, file, "exec", dont_inherit=True), _compiled(tree, file)
        pairs = list(_differing(before, after))
        if lost := {name for old, new in pairs for name in _lost(old, new)}:
            # The number of a function's free variables must not change.
            _name_again(tree, edit.first_line, lost)
            pairs = list(_differing(before, _compiled(tree, file)))
        fitting = [(old, new) for old, new in pairs if old.co_freevars == new.co_freevars]
        found = [(each, new) for old, new in fitting for each in self._functions[_key(old)]]
        if not found:
            raise CannotPutIn(f"{file}:{edit.first_line}: no function that lives has this line")
        return found

    def _forget(self) -> None:
        for cache in self._caches:
            cache.cache_clear()


def changed_source(source: str, edit: Edit) -> str:
    """Return a source with an edit made, and all of its other lines where they were."""
    old, new = source[edit.start : edit.end], edit.new
    if more := old.count("\n") - new.count("\n"):
        is_statement = new in ("pass", "raise") or (edit.kind == "arithmetic" and "= " in new)
        new = new + "\n" * more if is_statement else f"({new}{chr(10) * more})"
    return source[: edit.start] + new + source[edit.end :]


def _compiled(tree: ast.Module, file: str) -> CodeType:
    code = compile(tree, file, "exec", dont_inherit=True)
    assert isinstance(code, CodeType)
    return code


_NO_CODE = compile("", "", "exec")


def _key(code: CodeType) -> Key:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _differing(before: CodeType, after: CodeType) -> Iterator[Pair]:
    """Yield the functions that an edit has changed, from the outermost to the innermost."""
    olds, news = _inner(before), _inner(after)
    if len(olds) != len(news):
        return  # what is left out had functions within, which live no longer
    for old, new in zip(olds, news, strict=True):
        if old != new:
            if old.co_flags & inspect.CO_OPTIMIZED:
                yield old, new
            yield from _differing(old, new)


def _inner(code: CodeType) -> list[CodeType]:
    return [each for each in code.co_consts if isinstance(each, CodeType)]


def _lost(old: CodeType, new: CodeType) -> set[str]:
    return set(old.co_freevars) - set(new.co_freevars)


def _name_again(tree: ast.Module, line: int, names: Iterable[str]) -> None:
    """Name variables in the functions around a line, in a place that is never reached."""
    for node in ast.walk(tree):
        if isinstance(node, Function) and node.lineno <= line <= (node.end_lineno or 0):
            test = ast.parse(f"if False:\n    {'; '.join(sorted(names))}").body
            node.body += [ast.copy_location(each, node.body[-1]) for each in test]
            ast.fix_missing_locations(node)
