"""The static criteria of the audits, over all of the service (seeds 000 and 001)."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest

from tests.project import ROOT

Check: TypeAlias = Callable[[ast.Module], list[str]]
Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

DEPRECATED = "create_user_execution_context"
GETTERS = {"get_user_execution_context", "get_or_create_user_session"}
SOURCES = sorted((ROOT / "sessions").rglob("*.py"))


def deprecated_calls(tree: ast.Module) -> list[str]:
    """Name each call of the deprecated function, but for that by which it delegates itself."""
    delegating = {
        node
        for function in functions(tree)
        if function.name == DEPRECATED
        for node in ast.walk(function)
    }
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return shown(call for call in calls if called(call) == DEPRECATED and call not in delegating)


def deprecated_imports(tree: ast.Module) -> list[str]:
    """Name each import of the deprecated function, dead ones too (seed 001, 3.1)."""
    imports = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    return shown(node for node in imports if DEPRECATED in {alias.name for alias in node.names})


def generated_ids(tree: ast.Module) -> list[str]:
    """Name each getter that is handed a generated thread or run id (seed 001, 2.1)."""
    return [found for function in functions(tree) for found in generated_ids_in(function)]


def mock_requests(tree: ast.Module) -> list[str]:
    """Name each HTTP request that is made up (seed 000, 2.1)."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return shown(call for call in calls if called(call) in ("Request", "MockRequest"))


def uuids(tree: ast.Module) -> list[str]:
    """Name each import of uuid: ids come from the one generator."""
    imports = (node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom)))
    return shown(node for node in imports if "uuid" in imported(node))


def generated_ids_in(function: Function) -> list[str]:
    generated: set[str] = set()
    getters: set[str] = set()
    # Twice, as in a loop a name may be used above the line that assigns it.
    for name, value in [*assigned(function), *assigned(function)]:
        if isinstance(value, (ast.Name, ast.Attribute)) and is_getter(named(value)):
            getters.add(name)
        if is_generated(value, generated):
            generated.add(name)
    calls = (node for node in ast.walk(function) if isinstance(node, ast.Call))
    of_getters = (call for call in calls if is_getter(called(call)) or called(call) in getters)
    return shown(
        call
        for call in of_getters
        if any(is_generated(argument, generated) for argument in thread_and_run(call))
    )


def thread_and_run(call: ast.Call) -> list[ast.expr]:
    named = (keyword.value for keyword in call.keywords if keyword.arg in ("thread_id", "run_id"))
    return [*call.args[1:], *named]


def assigned(function: Function) -> Iterator[tuple[str, ast.expr]]:
    """Yield each name that is assigned to, with what it is assigned, whole tuples to each."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            targets: list[ast.expr] = node.targets
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign, ast.NamedExpr)):
            targets = [node.target]
        else:
            continue
        for target in targets:
            for part in ast.walk(target):
                if isinstance(part, ast.Name) and node.value:
                    yield part.id, node.value


def is_getter(name: str) -> bool:
    return name in GETTERS or name == "visit" or name.startswith("visit_")


def is_generated(value: ast.expr, generated: set[str]) -> bool:
    """Return whether a generated id is any part of a value."""
    return any(
        (isinstance(node, ast.Call) and called(node).startswith(("generate_", "uuid")))
        or (isinstance(node, ast.Name) and node.id in generated)
        for node in ast.walk(value)
    )


def functions(tree: ast.AST) -> Iterator[Function]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def called(call: ast.Call) -> str:
    return named(call.func)


def named(node: ast.expr) -> str:
    """Return the last part of a dotted name; empty for anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def imported(node: ast.Import | ast.ImportFrom) -> set[str]:
    names = {alias.name for alias in node.names} if isinstance(node, ast.Import) else {node.module}
    return {(name or "").partition(".")[0] for name in names}


def shown(nodes: Iterator[ast.expr] | Iterator[ast.ImportFrom] | Iterator[ast.stmt]) -> list[str]:
    return [f"line {node.lineno}: {ast.unparse(node)}" for node in nodes]


def test_nothing_deprecated_is_called() -> None:
    """
    Seed 000, success criterion 3: no instance of create_user_execution_context().
    """
    assert found_by(deprecated_calls) == {}


def test_nothing_deprecated_is_imported() -> None:
    """
    Seed 001, 3.1, dead import cleanup: the deprecated function is offered, and imported by none.
    """
    assert found_by(deprecated_imports) == {}


def test_no_getter_is_handed_a_generated_id() -> None:
    """
    Seed 001, 5.2: no calls to get_user_execution_context() with generated IDs.
    """
    assert found_by(generated_ids) == {}


def test_no_request_is_made_up() -> None:
    """
    Seed 000, 2.1, and 001, 1.3: no mock Request for what came over a WebSocket.
    """
    assert found_by(mock_requests) == {}


def test_no_id_is_made_by_the_way() -> None:
    """
    Seed 000, 1.1, and 003, step 4: no uuid, as all ids come from UnifiedIdGenerator.
    """
    assert found_by(uuids) == {}


def found_by(check: Check) -> dict[str, list[str]]:
    """Run a check on all of the package, and name the files in which it found something."""
    trees = {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8")) for path in SOURCES
    }
    return {name: found for name, tree in trees.items() if (found := check(tree))}


WRONG: dict[str, tuple[Check, str]] = {
    "seed 000, 1.1, a context for each message": (
        deprecated_calls,
        "context = create_user_execution_context(user_id=u, thread_id=str(uuid.uuid4()))",
    ),
    "seed 000, 1.3, a route's own context": (
        deprecated_calls,
        "def create(db):\n    return services.create_user_execution_context(u, db_session=db)",
    ),
    "seed 001, 3.1, a dead import": (
        deprecated_imports,
        "from app.dependencies import create_user_execution_context",
    ),
    "seed 000, 2.1, a mock request": (
        mock_requests,
        'mock_request = Request({"type": "websocket", "headers": []}, receive=None, send=None)',
    ),
    "seed 003, step 4, an id by the way": (uuids, "import uuid"),
    "an id by the way, imported from": (uuids, "from uuid import uuid4"),
    "seed 001, 2.1, generated where none was given": (
        generated_ids,
        """
def handle(user_id, thread_id, run_id):
    if not thread_id or not run_id:
        thread_id = UnifiedIdGenerator.generate_base_id("thread")
        run_id = UnifiedIdGenerator.generate_base_id("run")
    return get_user_execution_context(user_id=user_id, thread_id=thread_id, run_id=run_id)
""",
    ),
    "seed 003, two generations": (
        generated_ids,
        """
async def create(self, user_id):
    thread_id, _, _ = self.ids.generate_user_context_ids(user_id, operation="session")
    return self.registry.get_or_create_user_session(user_id, thread_id)
""",
    ),
    "generated in the call": (
        generated_ids,
        "def f(user):\n    return contexts.get_user_execution_context(user, str(uuid.uuid4()))",
    ),
    "generated where none was given, in the call": (
        generated_ids,
        "def f(user, run):\n    visit(user, None, run_id=run or ids.generate_base_id())",
    ),
    "generated, and handed on under another name": (
        generated_ids,
        "def f(user):\n    made = uuid4()\n    thread = f'thread_{made}'\n    visit(user, thread)",
    ),
    "a getter under another name": (
        generated_ids,
        "def f(user):\n    get = self.get_user_execution_context\n    get(user, generate_id())",
    ),
}
RIGHT = {
    "seed 000, 5.1, ids from the message": """
def handle(user_id, message, payload):
    thread_id = message.get("thread_id") or payload.get("thread_id")
    return get_user_execution_context(user_id=user_id, thread_id=thread_id, run_id=None)
""",
    "seed 002, step 3, the deprecated function itself": """
def create_user_execution_context(user_id, thread_id):
    return default().create_user_execution_context(user_id, thread_id)
""",
    "an id for something else": """
def answer(user_id, thread_id):
    event_id = ids.generate_base_id("event")
    return Event(event_id, get_user_execution_context(user_id, thread_id), AgentRequest(event_id))
""",
}


@pytest.mark.parametrize("case", WRONG)
def test_the_audit_sees_what_is_wrong(case: str) -> None:
    """
    Each check finds the code that the seeds show as wrong, and its disguises.
    """
    check, code = WRONG[case]

    assert len(check(ast.parse(code))) == 1


@pytest.mark.parametrize("case", RIGHT)
def test_the_audit_passes_what_is_right(case: str) -> None:
    """
    The code that the seeds show as right raises no alarm.
    """
    tree = ast.parse(RIGHT[case])

    assert [*deprecated_calls(tree), *generated_ids(tree), *mock_requests(tree)] == []
