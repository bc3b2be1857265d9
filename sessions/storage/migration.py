"""Bring the tables of a database to the version that this program knows."""

from __future__ import annotations

from sqlalchemy import Column, Connection, Inspector, MetaData, Table, Text, inspect, select

from sessions.errors import TablesError

# The last of sessions.storage.migrations; a test holds it to what alembic finds there.
VERSION = "0002"
VERSIONS = Table("alembic_version", MetaData(), Column("version_num", Text))
# The tables as they were before they had a version: those of 0001.
UNVERSIONED = {
    "threads": {"user_id", "thread_id", "run_id", "active_at_s", "ended", "used"},
    "turns": {
        *("number", "user_id", "thread_id", "position", "role", "text", "message_id"),
        *("run_id", "at_s"),
    },
}


def migrate(connection: Connection) -> None:
    """Make the tables, or change them to this version, in the transaction of the connection.

    Tables that are of this version already cost two statements. Raises TablesError, having
    changed nothing, and what the database raises.
    """
    schema = connection.get_execution_options().get("schema_translate_map", {}).get(None)
    seen = inspect(connection)
    found = None
    if seen.has_table("alembic_version", schema):
        found = connection.execute(select(VERSIONS.c.version_num)).scalar()
    if found != VERSION:
        # Late, as alembic takes a quarter of the start, and most starts find their version.
        from sessions.storage.upgrade import upgrade

        _begin(connection, schema)
        upgrade(connection, found or _unversioned(seen, schema), VERSION)


def _unversioned(seen: Inspector, schema: str | None) -> str | None:
    """Return the version of tables that tell none: the first, or None if there are no tables."""
    tables = {name for name in UNVERSIONED if seen.has_table(name, schema)}
    columns = {name: {each["name"] for each in seen.get_columns(name, schema)} for name in tables}
    if columns and columns != UNVERSIONED:
        raise TablesError(
            f"the tables {' and '.join(sorted(tables))} are not those of any version of this "
            "program; use the program that made them, or another database or schema"
        )
    return "0001" if tables else None


def _begin(connection: Connection, schema: str | None) -> None:
    """Begin one transaction for all changes, in the schema of the tables."""
    if connection.dialect.name == "sqlite":
        # Its driver begins none for statements that make tables.
        driver = connection.connection.driver_connection
        if driver is not None and not driver.in_transaction:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif schema is not None:
        named = connection.dialect.identifier_preparer.quote_schema(schema)
        connection.exec_driver_sql(f"SET LOCAL search_path TO {named}")
