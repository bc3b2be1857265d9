"""The defaults of a project: `[tool.threadline]` of the nearest pyproject.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

WANTED = {"driver": "a text, MODULE:NAME", "examples": "a folder, or redis://HOST:PORT/NUMBER"}
MANY = "a list of texts, each MODULE:NAME"


class BadDefaults(ValueError):
    """`[tool.threadline]` is not as it should be; says which entry, and what to write."""


@dataclass(frozen=True, slots=True)
class Defaults:
    """What the command uses when its line names nothing: all MODULE:NAME, but for `examples`.

    That is where Hypothesis keeps what has failed: a folder, or redis://HOST:PORT/NUMBER.
    """

    driver: str = ""
    drivers: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    mutants: tuple[str, ...] = ()
    examples: str = ""

    def every_driver(self) -> tuple[str, ...]:
        """Return the drivers, the one that is used where nothing else is said as the first."""
        return tuple(filter(None, (self.driver, *self.drivers)))


def read_defaults(folder: Path | None = None) -> Defaults:
    """Return the defaults for a folder; empty ones where no pyproject.toml has the table.

    Raises BadDefaults for a file that cannot be read, and for an entry that is unknown or wrong.
    """
    here = (folder or Path.cwd()).resolve()
    for place in (here, *here.parents):
        path = place / "pyproject.toml"
        if path.is_file():
            table = _table(path)
            if table is not None:
                return _checked(path, table)
    return Defaults()


def _table(path: Path) -> dict[str, object] | None:
    """Return the table of a project's file, or None where it has none."""
    try:
        tools = tomllib.loads(path.read_text("utf-8")).get("tool", {})
    except (OSError, ValueError) as error:
        raise BadDefaults(f"{path} cannot be read: {error}") from error
    table = tools.get("threadline") if isinstance(tools, dict) else None
    if table is None or isinstance(table, dict):
        return table
    raise BadDefaults(f"{path}: tool.threadline is {table!r}; write it as a table")


def _checked(path: Path, table: dict[str, object]) -> Defaults:
    known = [field.name for field in fields(Defaults)]
    for name, value in table.items():
        if name not in known:
            raise BadDefaults(
                f"{path}: [tool.threadline] has {name!r}; it can have {', '.join(known)}"
            )
        if not _fits(name, value):
            raise BadDefaults(f"{path}: {name} is {value!r}; write {WANTED.get(name, MANY)}")
    values = {n: v if n in WANTED else tuple(v) for n, v in table.items()}  # type: ignore[arg-type]  # checked above
    return Defaults(**values)  # type: ignore[arg-type]  # checked above


def _fits(name: str, value: object) -> bool:
    if name in WANTED:
        return isinstance(value, str)
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
