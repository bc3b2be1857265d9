"""Serve the chat service from the command line: python -m sessions."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import threading

import click
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from sessions.app import create_app
from sessions.errors import TablesError
from sessions.service import ChatService
from sessions.session_manager import ChatSystem
from sessions.settings import Settings
from sessions.storage.database import DEFAULT_URL, Database
from sessions.storage.failures import why
from sessions.storage.lease import DatabaseTakenError
from sessions.web.requests import tokens_from
from sessions.web.server import HOST, bound, make_server

VARIABLE = "SESSIONS_TOKENS"
THREAD_END_S = 2.0


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=8000, show_default=True, help="0: a free one."
)
@click.option(
    "--database", default=DEFAULT_URL, show_default=True, help="Where conversations are stored."
)
@click.option("--schema", help="Where PostgreSQL keeps the tables.")
def main(port: int, database: str, schema: str | None) -> None:
    """Serve the chat service on 127.0.0.1, until Ctrl-C.

    SESSIONS_TOKENS says who may use it: a JSON object from bearer token to user, such as
    {"a secret": "ana"}. Without it a token for the user local is made, and shown.
    """
    # As the server's own lines look.
    logging.basicConfig(format="%(levelname)s:  %(message)s")
    system = ChatSystem(Settings(tokens=_tokens()))
    try:
        store = Database(system.clock, system.settings, database, schema)
        asyncio.run(_reach(store))
    except (DatabaseTakenError, TablesError) as error:
        raise click.ClickException(f"the database cannot be used: {error}") from None
    except (ValueError, OSError, ImportError, SQLAlchemyError) as error:
        raise click.ClickException(_of_database(error)) from None
    try:
        listening = bound(port)
    except OSError as error:
        raise click.ClickException(
            f"port {port}: {error.strerror}; give another, or --port 0"
        ) from None
    service = ChatService(system, database=store)
    click.echo(f"listening on http://{HOST}:{listening.getsockname()[1]}")
    make_server(create_app(service), service).run([listening])


async def _reach(store: Database) -> None:
    """Make or migrate the tables; what a database lacks is told of before there is a server."""
    before = threading.enumerate()
    try:
        await store.open()
    finally:
        await store.close()
        # A thread of the database's tells the loop of its end, for which that must be there.
        for thread in set(threading.enumerate()) - {*before}:
            await asyncio.to_thread(thread.join, THREAD_END_S)


def _of_database(error: Exception) -> str:
    """Return why a database cannot be used, in its own words, and without its URL's password.

    Never without a reason: an error that has no words is told by what it means.
    """
    told = str(error.orig if isinstance(error, DBAPIError) else error).strip() or why(error)
    return f"the database cannot be used: {told}; start it, or name another with --database"


def _tokens() -> dict[str, str]:
    """Return whose each token is; raises ClickException if the variable says it wrongly."""
    given = os.environ.get(VARIABLE)
    if given is None:
        token = secrets.token_urlsafe(24)
        click.echo(f"token of the user local: {token}")
        return {token: "local"}
    try:
        return tokens_from(given)
    except ValueError as error:
        raise click.ClickException(f"{VARIABLE}: {error}") from None


if __name__ == "__main__":
    main(prog_name="python -m sessions")
