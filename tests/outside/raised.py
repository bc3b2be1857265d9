"""The service with other limits than its defaults, which can only be given in Python.

`python -m tests.outside.raised '{"connections_max": 1100}' --database URL [--schema NAME]`
"""

from __future__ import annotations

import argparse
import json
import os

from sessions.app import create_app
from sessions.service import ChatService
from sessions.session_manager import ChatSystem
from sessions.settings import Settings
from sessions.storage.database import Database
from sessions.web.requests import tokens_from
from sessions.web.server import HOST, bound, make_server


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("limits", type=json.loads)
    arguments.add_argument("--database", required=True)
    arguments.add_argument("--schema")
    given = arguments.parse_args()
    system = ChatSystem(Settings(tokens=tokens_from(os.environ["SESSIONS_TOKENS"]), **given.limits))
    store = Database(system.clock, system.settings, given.database, given.schema)
    service = ChatService(system, database=store)
    listening = bound(0)
    print(f"listening on http://{HOST}:{listening.getsockname()[1]}", flush=True)
    make_server(create_app(service), service).run([listening])


if __name__ == "__main__":
    main()
