"""Tests of the shape of the code: who may import whom, how long a file may be, what it may say."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Which of our packages each package may import, beside itself (the design, "Top level").
MAY_IMPORT: dict[str, set[str]] = {
    "threadline": set(),
    "models": {"threadline"},
    "scenarios": {"threadline", "models"},
    "sessions": set(),
    "drivers": {"threadline", "models", "sessions"},
}
PACKAGES = {*MAY_IMPORT, "tests"}
LIBRARY = "harness/threadline"
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 40
VAGUE = {"util", "utils", "helper", "helpers", "common", "misc"}
MAY_LOAD_HYPOTHESIS = {f"{LIBRARY}/search/machine.py", f"{LIBRARY}/pytest_plugin.py"}
# The rooms of the library: each imports only itself and those before it. "" is its top level.
ROOMS = (
    *("", "contracts", "lockstep", "search", "minimise", "leaks", "campaign"),
    *("sight", "report", "cli"),
)
ENTRANCES = {"__main__", "pytest_plugin"}  # at the top level, and above all rooms
# What may be loaded late: what brings Hypothesis, Dask, Jinja2 or alembic, where it is needed.
LATE = {
    *(
        "search.machine",
        "campaign.cluster",
        "page",
        "sight.page",
        "hypothesis.extra.redis",
        "redis",
    ),
    "sessions.storage.upgrade",
}


def sources(folder: str = "") -> list[Path]:
    """Return the Python files that git knows or would take, under one top-level folder or all."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", f"{folder or '.'}"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    paths = [ROOT / line for line in listed.stdout.splitlines() if line.endswith(".py")]
    return sorted(path for path in paths if path.exists())


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def imported_packages(tree: ast.AST) -> set[str]:
    """Return the top-level packages that a file imports by name; relative imports are its own."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.partition(".")[0])
    return found


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def imports_inside(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    for function in functions(tree):
        for node in ast.walk(function):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                yield node


SOURCES = sources()


def those(is_wrong: Callable[[Path], object]) -> dict[str, object]:
    """Return what is wrong with which files: one test for all of them, as they are many."""
    return {name(path): found for path in SOURCES if (found := is_wrong(path))}


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_only_what_its_layer_allows(package: str) -> None:
    """
    No file reaches into a package that its own package must not know.
    """
    forbidden = PACKAGES - MAY_IMPORT[package] - {package}

    assert {
        name(path): found
        for path in sources("harness" if package == "threadline" else package)
        if (found := imported_packages(parsed(path)) & forbidden)
    } == {}


def test_finds_imports_of_each_form() -> None:
    """
    An import is seen with and without from, inside functions too, and not where it is relative.
    """
    tree = ast.parse("import a.b, c\nfrom d.e import f\nfrom . import g\ndef h(): import i")

    assert imported_packages(tree) == {"a", "c", "d", "i"}


def test_files_are_short() -> None:
    """
    A file has at most 500 lines.
    """

    def excess(path: Path) -> int:
        return max(0, len(path.read_text("utf-8").splitlines()) - FILE_LINES_MAX)

    assert those(excess) == {}


def test_functions_are_short() -> None:
    """
    A function has at most 40 lines, its decorators not counted.
    """

    def long(path: Path) -> list[str]:
        return [
            function.name
            for function in functions(parsed(path))
            if (function.end_lineno or 0) - function.lineno >= FUNCTION_LINES_MAX
        ]

    assert those(long) == {}


def test_files_begin_with_one_sentence() -> None:
    """
    The first line of a file says its job in one sentence, without the word "module".
    """

    def unsaid(path: Path) -> str:
        tree = parsed(path)
        first = (ast.get_docstring(tree) or "").partition("\n")[0]
        is_whole = first.endswith((".", "?")) or not tree.body
        is_one = ". " not in first and "module" not in first.lower()
        return "" if is_whole and is_one else first or "nothing"

    assert those(unsaid) == {}


def test_names_of_files_say_something() -> None:
    """
    No file is a drawer for everything.
    """
    assert those(lambda path: VAGUE & {*path.stem.split("_")}) == {}


def test_hypothesis_is_imported_in_one_place() -> None:
    """
    Only the machine and the plugin know Hypothesis; tests may.
    """

    def imports_it(path: Path) -> bool:
        allowed = name(path) in MAY_LOAD_HYPOTHESIS or name(path).startswith("tests/")
        return not allowed and "hypothesis" in imported_packages(parsed(path))

    assert those(imports_it) == {}


def test_imports_stand_at_the_top() -> None:
    """
    Except in the plugin, and where Hypothesis, Redis, Dask, Jinja2 or alembic is loaded.
    """

    def late(path: Path) -> set[str | None]:
        inside = {getattr(node, "module", None) for node in imports_inside(parsed(path))}
        return set() if name(path) == f"{LIBRARY}/pytest_plugin.py" else inside - LATE

    assert those(late) == {}


def library() -> dict[str, set[str]]:
    """Return the modules of the library, each with those of its own that it imports, anywhere."""
    return imports_within(LIBRARY)


def imports_within(folder: str) -> dict[str, set[str]]:
    """Return the modules of a folder, each with those of them that it imports, anywhere."""
    paths = {dotted(path, folder): path for path in sources(folder)}
    return {module: own_imports(module, folder, paths) for module in paths}


def dotted(path: Path, folder: str) -> str:
    """Return a module's name below a folder, as in lockstep.run; a room's own is the room's."""
    return ".".join(path.relative_to(ROOT / folder).with_suffix("").parts)


def own_imports(module: str, folder: str, paths: dict[str, Path]) -> set[str]:
    """Return what a module imports of its folder: relatively, or by the folder's name."""
    found = set()
    for node in ast.walk(parsed(paths[module])):
        if isinstance(node, ast.Import):
            whole = [alias.name.partition(".") for alias in node.names]
            found |= {rest for package, _, rest in whole if package == folder}
        if not isinstance(node, ast.ImportFrom):
            continue
        names = (node.module or "").split(".") if node.module else []
        if node.level:
            names = [*module.split(".")[: -node.level], *names]
        elif names[:1] == [folder]:
            names = names[1:]
        else:
            continue
        found |= {".".join(names), *(".".join([*names, alias.name]) for alias in node.names)}
    return found & paths.keys()


def reached(module: str, imports: dict[str, set[str]]) -> set[str]:
    """Return what a module imports, and what that imports, and so on."""
    found: set[str] = set()
    next_ones = [*imports[module]]
    while next_ones:
        one = next_ones.pop()
        next_ones += imports[one] - found
        found |= {one} | imports[one]
    return found


@pytest.mark.parametrize("folder", [LIBRARY, "sessions"])
def test_imports_go_in_no_circle(folder: str) -> None:
    """
    No module of the library or the service imports itself by way of others, for types neither.
    """
    imports = imports_within(folder)

    assert len(imports) > 50

    assert [module for module in imports if module in reached(module, imports)] == []


def test_sees_a_circle() -> None:
    """
    What is reached goes on over any number of modules.
    """
    assert "a" in reached("a", {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set()})


def floor(module: str) -> int:
    """Return the place of a module's room in their order."""
    return len(ROOMS) if module in ENTRANCES else ROOMS.index(module.rpartition(".")[0])


def backward(imports: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return the modules that import one of a later room, each with what they import so."""
    above = {module: {m for m in imports[module] if floor(m) > floor(module)} for module in imports}
    return {module: found for module, found in above.items() if found}


def test_rooms_are_imported_in_one_direction() -> None:
    """
    Words know no room, and no room of the library knows one that stands above it.
    """
    imports = {m: found for m, found in library().items() if not m.endswith("__init__")}

    assert backward(imports) == {}


def test_sees_an_import_of_a_room_above() -> None:
    """
    An import of a later room is backward, one of an earlier room or of its own is not.
    """
    imports = {"trace": {"leaks.reach"}, "leaks.reach": {"trace", "leaks.edges"}}

    assert backward({**imports, "leaks.edges": set()}) == {"trace": {"leaks.reach"}}


@pytest.mark.parametrize(
    "loaded",
    [
        "threadline",
        "threadline.contracts.conversation_store",
        "models.session_manager.model",
        "models.chat_service.model",
    ],
)
def test_a_model_loads_no_heap_walker(loaded: str) -> None:
    """
    What a user writes is imported without the rooms that hunt leaks and run campaigns.
    """
    names = "[name for name in sys.modules if name.startswith(rooms)]"
    rooms = "rooms = ('threadline.leaks', 'threadline.campaign')"

    assert shown(f"import sys, {loaded}; {rooms}; print({names})") == "[]\n"


def shown(code: str) -> str:
    """Return what code prints in a process of its own."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize(
    "loaded",
    [
        "threadline",
        "threadline.search.explore",
        "threadline.lockstep.run",
        "threadline.minimise.fixpoint",
        "threadline.search.exhaust",
    ],
)
def test_loads_no_hypothesis(loaded: str) -> None:
    """
    Exploring, replaying and minimising start without Hypothesis, and so start fast.
    """
    assert shown(f"import sys, {loaded}; print('hypothesis' in sys.modules)") == "False\n"


def test_commands_start_without_what_makes_a_page() -> None:
    """
    Jinja2 is loaded where a page is written, as it takes a sixth of the start of each command.
    """
    code = "import sys, threadline.cli.command; print('jinja2' in sys.modules)"

    assert shown(code) == "False\n"
