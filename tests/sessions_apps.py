"""Apps for a test: with tokens for two users, and a database in a file of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from fastapi import FastAPI
from starlette.testclient import TestClient

from sessions.agents.agent import Agent
from sessions.app import create_app
from sessions.service import ChatService
from sessions.session_manager import ChatSystem
from sessions.settings import Settings
from sessions.storage.database import Database

ANA = {"Authorization": "Bearer ana's token"}
BEN = {"Authorization": "Bearer ben's token"}
TOKENS = {"ana's token": "ana", "ben's token": "ben"}


def make_service(
    folder: Path,
    settings: Settings | None = None,
    agent: Agent | None = None,
    url: str | None = None,
    schema: str | None = None,
) -> ChatService:
    """Return a service on SQLite in a folder, unless there is a URL."""
    system = ChatSystem(replace(settings or Settings(), tokens=TOKENS))
    url = url or f"sqlite+aiosqlite:///{folder / 'sessions.db'}"
    database = Database(system.clock, system.settings, url, schema)
    return ChatService(system, database=database, agent=agent)


def make_app(folder: Path, settings: Settings | None = None) -> FastAPI:
    return create_app(make_service(folder, settings))


@contextmanager
def served(service: ChatService) -> Iterator[TestClient]:
    """Start a service behind its app, give a far end to ask it with, and stop it."""
    with TestClient(create_app(service)) as far_end:
        yield far_end
