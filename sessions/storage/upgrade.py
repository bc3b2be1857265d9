"""Run the migrations, by alembic."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from sessions.errors import TablesError

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(connection: Connection, found: str | None, wanted: str) -> None:
    """Bring tables of one version, None for no tables, to another; raises TablesError."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = [each.revision for each in ScriptDirectory.from_config(config).walk_revisions()]
    if found not in (None, *known):
        raise TablesError(
            f"the tables are of version {found}, and this program knows {', '.join(known)}; use "
            "the program that made them, or a newer one"
        )
    if found is not None:
        command.stamp(config, found)
    command.upgrade(config, wanted)
