"""Edits: the small changes that can be made to the functions of a source, each by its kind."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

Made = Iterator[tuple[str, ast.AST, str]]  # a kind, the node that is replaced, and what by
Function = ast.FunctionDef | ast.AsyncFunctionDef

BOUNDARY = {ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">"}
OPPOSITE = {ast.Eq: "!=", ast.NotEq: "==", ast.Is: "is not", ast.IsNot: "is"} | {
    ast.In: "not in",
    ast.NotIn: "in",
}
ARITHMETIC = {
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "//",
    ast.Div: "*",
    ast.FloorDiv: "*",
    ast.Mod: "*",
    ast.BitAnd: "|",
    ast.BitOr: "&",
    ast.LShift: ">>",
    ast.RShift: "<<",
}
BEGINNINGS = ("__init__", "__post_init__", "__new__")
SYMMETRIC = frozenset({"max", "min", "print"})  # which take their arguments in any order
COPIES = frozenset({"list", "dict", "set", "tuple", "frozenset", "copy", "deepcopy"})
LOGS = frozenset({"log", "logger", "logging", "_log", "_logger", "LOG", "LOGGER"})
KINDS = {
    "boundary": "`<` becomes `<=`, and so on",
    "comparison": "`==` becomes `!=`; `is`, `in` and their opposites",
    "condition": "a condition is always true, or always false",
    "boolean": "`and` becomes `or`; `not` is left out; `True` becomes `False`",
    "arithmetic": "`+` becomes `-`, and so on",
    "constant": "a number is one more, or one less",
    "statement": "a call, an assignment, an await, a `raise` or a `del` is left out",
    "copy": "`list(x)`, `x.copy()` and their like become `x`",
    "exception": "what a handler does is left out, or it raises again",
    "arguments": "two arguments beside each other are swapped",
    "default": "of `a or b` one is always taken",
}


@dataclass(frozen=True, slots=True)
class Edit:
    """A piece of a source, from `start` to `end` in characters, and what takes its place.

    It is reached when one of the lines from `first_line` to `last_line` runs.
    """

    kind: str
    function: str
    start: int
    end: int
    new: str
    first_line: int
    last_line: int


def edits_of(source: str, wants: Callable[[str], bool] = lambda _: True) -> list[Edit]:
    """Return every edit of the functions of a source, in order.

    `wants` is asked for the qualified name of each function that stands in no other one. What is
    evaluated when a module is imported (decorators, defaults, classes) is not edited, nor are
    asserts, calls of loggers and annotations.
    """
    places = Places(source)
    found: dict[tuple[object, ...], Edit] = {}
    for name, function in functions_of(ast.parse(source), ""):
        if not wants(name):
            continue
        for statement in function.body:
            for edit in _Walk(name, places, function).of(statement):
                key = edit.start, edit.end, edit.new
                if source[edit.start : edit.end] != edit.new:
                    found.setdefault(key, edit)
    return sorted(found.values(), key=lambda each: (each.start, each.end, each.kind, each.new))


def functions_of(tree: ast.AST, prefix: str) -> Iterator[tuple[str, Function]]:
    """Yield the functions that stand in no other, with their qualified names."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function):
            yield f"{prefix}{node.name}", node
        elif isinstance(node, ast.ClassDef):
            yield from functions_of(node, f"{prefix}{node.name}.")
        else:
            yield from functions_of(node, prefix)


class Places:
    """Knows at which character of a source a node begins and ends."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._lines = source.splitlines(keepends=True)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def at(self, line: int, column: int) -> int:
        """Return the character at a line, from 1, and a column in bytes of UTF-8."""
        text = self._lines[line - 1] if line <= len(self._lines) else ""
        if not text.isascii():
            column = len(text.encode()[:column].decode())
        return self._starts[line - 1] + column

    def of(self, node: ast.AST) -> tuple[int, int]:
        first, last = _first_and_last(node)
        return self.at(first.lineno, first.col_offset), self.at(
            last.end_lineno or last.lineno, last.end_col_offset or 0
        )

    def text(self, node: ast.AST) -> str:
        start, end = self.of(node)
        return self.source[start:end]


def _first_and_last(node: ast.AST) -> tuple[ast.expr, ast.expr]:
    """Return where a node begins and ends: the body of a handler begins with its first statement.

    The types are those of every node that has a place.
    """
    if isinstance(node, ast.ExceptHandler):
        return node.body[0], node.body[-1]  # type: ignore[return-value]  # both have a place
    return node, node  # type: ignore[return-value]  # only what has a place is replaced


class _Walk:
    """Walks through one function, and yields its edits."""

    def __init__(self, name: str, places: Places, function: Function) -> None:
        self._name = name
        self._places = places
        stores = [n for n in ast.walk(function) if isinstance(n, ast.Name)]
        bound = [each.id for each in stores if isinstance(each.ctx, ast.Store)]
        arguments = [each.arg for each in ast.walk(function) if isinstance(each, ast.arg)]
        self._bound = [*bound, *arguments]

    def of(self, statement: ast.AST) -> Iterator[Edit]:
        """Yield the edits of a statement, and of those within it."""
        if isinstance(statement, ast.Assert | ast.ClassDef) or self._is_log(statement):
            return
        own: list[ast.AST] = []
        inner: list[ast.AST] = []
        for name, value in ast.iter_fields(statement):
            if name not in ("annotation", "returns", "decorator_list", "args", "type_params"):
                nodes = value if isinstance(value, list) else [value]
                kept = [node for node in nodes if isinstance(node, ast.AST)]
                within = [n for n in kept if isinstance(n, ast.stmt | ast.ExceptHandler)]
                inner += [*within, *(n for n in kept if isinstance(n, ast.match_case))]
                own += [n for n in kept if isinstance(n, ast.expr | ast.withitem)]
        for kind, node, new in self._made(statement, own):
            yield self._edit(kind, node, new, statement)
        for each in inner:
            yield from self.of(each)

    def _made(self, statement: ast.AST, own: list[ast.AST]) -> Made:
        if isinstance(statement, ast.stmt):
            yield from self._left_out(statement)
        if isinstance(statement, ast.ExceptHandler):
            yield from _handled(statement)
        if isinstance(statement, ast.AugAssign) and (new := ARITHMETIC.get(type(statement.op))):
            target, value = map(self._places.text, (statement.target, statement.value))
            if not _is_text(statement.value):
                yield "arithmetic", statement, f"{target} {new}= {value}"
        is_test = isinstance(statement, ast.If | ast.While)
        for node in own:
            if is_test:
                yield from _condition(node, loops=isinstance(statement, ast.While))
            yield from self._within(node, is_test=is_test)

    def _edit(self, kind: str, node: ast.AST, new: str, statement: ast.AST) -> Edit:
        start, end = self._places.of(node)
        first, last = _first_and_last(node)
        begins = first.lineno
        if isinstance(statement, ast.stmt) and not isinstance(statement, ast.Try):
            begins = min(begins, statement.lineno)
        ends = last.end_lineno or begins
        return Edit(kind, self._name, start, end, new, begins, ends)

    def _left_out(self, statement: ast.stmt) -> Made:
        is_effect = isinstance(statement, ast.Expr) and isinstance(
            statement.value, ast.Call | ast.Await
        )
        is_plain = isinstance(statement, ast.Raise | ast.Delete | ast.AugAssign)
        if is_effect or is_plain or self._is_assigned_again(statement):
            yield "statement", statement, "pass"

    def _is_assigned_again(self, statement: ast.stmt) -> bool:
        """Return whether this assigns what has a value without it.

        Otherwise leaving it out is a NameError in the next line, which any test sees.
        """
        targets: list[ast.expr] = []
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets = [statement.target]
        if self._name.endswith(BEGINNINGS):
            return False  # and what is missing from a new object is an AttributeError
        names = [n for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)]
        own = [name.id for name in names if isinstance(name.ctx, ast.Store)]
        return bool(targets) and all(self._bound.count(name) > own.count(name) for name in own)

    def _is_log(self, statement: ast.AST) -> bool:
        call = statement.value if isinstance(statement, ast.Expr) else None
        while isinstance(call, ast.Call | ast.Attribute):
            call = call.func if isinstance(call, ast.Call) else call.value
            if isinstance(call, ast.Attribute) and call.attr in LOGS:
                return True
        return isinstance(call, ast.Name) and call.id in LOGS

    def _within(self, node: ast.AST, *, is_test: bool) -> Made:
        """Yield the edits of an expression; of texts with values in them there are none.

        Python 3.11 does not know where in a source those values stand.
        """
        if isinstance(node, ast.JoinedStr):
            return
        yield from self._of_operators(node, is_test=is_test)
        yield from self._of_values(node)
        if isinstance(node, ast.IfExp):
            yield from _condition(node.test, loops=False)
        if isinstance(node, ast.comprehension):
            for test in node.ifs:
                yield from _condition(test, loops=False)
        still = is_test and isinstance(node, ast.BoolOp | ast.UnaryOp)
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, ast.arguments):
                yield from self._within(child, is_test=still)

    def _of_operators(self, node: ast.AST, *, is_test: bool) -> Made:
        text = self._places.text
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            operator, left, right = type(node.ops[0]), text(node.left), text(node.comparators[0])
            for kind, table in (("boundary", BOUNDARY), ("comparison", OPPOSITE)):
                if new := table.get(operator):
                    yield kind, node, f"{left} {new} {right}"
        elif isinstance(node, ast.BoolOp):
            yield from self._of_boolean(node, is_test=is_test)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield "boolean", node, f"bool({text(node.operand)})"
        elif isinstance(node, ast.BinOp) and (new := ARITHMETIC.get(type(node.op))):
            if not (_is_text(node.left) or _is_text(node.right)):
                yield "arithmetic", node, f"{self._side(node.left)} {new} {self._side(node.right)}"

    def _of_boolean(self, node: ast.BoolOp, *, is_test: bool) -> Made:
        sides = [self._side(value) for value in node.values]
        is_or = isinstance(node.op, ast.Or)
        if is_or and not is_test:
            yield "default", node, sides[-1]
            yield "default", node, " or ".join(sides[:-1])
        else:
            yield "boolean", node, (" and " if is_or else " or ").join(sides)

    def _of_values(self, node: ast.AST) -> Made:
        text = self._places.text
        if isinstance(node, ast.Constant):
            if isinstance(node.value, bool):
                yield "boolean", node, str(not node.value)
            elif isinstance(node.value, int | float):
                yield "constant", node, str(node.value + 1)
                yield "constant", node, str(node.value - 1)
        if not isinstance(node, ast.Call):
            return
        called = node.func
        name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
        if name in COPIES and len(node.args) == 1 and not node.keywords:
            if not isinstance(node.args[0], ast.GeneratorExp | ast.Starred):
                yield "copy", node, f"({text(node.args[0])})"
        elif name == "copy" and isinstance(called, ast.Attribute) and not node.args:
            yield "copy", node, text(called.value)
        for one, other in (
            zip(node.args, node.args[1:], strict=False) if name not in SYMMETRIC else ()
        ):
            if not any(isinstance(each, ast.Starred) for each in (one, other)):
                yield "arguments", node, self._swapped(node, one, other)

    def _swapped(self, node: ast.Call, one: ast.expr, other: ast.expr) -> str:
        source, (start, end) = self._places.source, self._places.of(node)
        (a, b), (c, d) = self._places.of(one), self._places.of(other)
        return source[start:a] + source[c:d] + source[b:c] + source[a:b] + source[d:end]

    def _side(self, node: ast.AST) -> str:
        """Return one side of an operator, in parentheses where it has an operator of its own."""
        is_plain = isinstance(node, ast.Name | ast.Attribute | ast.Constant | ast.Call)
        plain = self._places.text(node)
        return plain if is_plain or isinstance(node, ast.Subscript) else f"({plain})"


def _condition(node: ast.AST, *, loops: bool) -> Made:
    """Yield a condition that is always false, or always true: but no loop without an end."""
    if not isinstance(node, ast.Constant):
        yield "condition", node, "False"
        if not loops:
            yield "condition", node, "True"


def _handled(handler: ast.ExceptHandler) -> Made:
    is_nothing = all(isinstance(each, ast.Pass | ast.Continue) for each in handler.body)
    is_raise = isinstance(handler.body[0], ast.Raise)
    if not is_nothing and not (is_raise and len(handler.body) == 1):
        yield "exception", handler, "pass"
    if not (is_raise and handler.body[0].exc is None):  # type: ignore[attr-defined]  # it is one
        yield "exception", handler, "raise"


def _is_text(node: ast.AST) -> bool:
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    return is_text or isinstance(node, ast.JoinedStr | ast.List | ast.Tuple)


def kinds_in_order(names: Iterable[str]) -> list[str]:
    """Return these kinds in the order of the table."""
    given = set(names)
    return [kind for kind in KINDS if kind in given]
