"""What docs/service.md says of the service is what the service has."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from sessions.__main__ import main
from sessions.messages.payloads import PAYLOADS
from sessions.settings import Settings
from tests.doc_pages import page
from tests.sessions_apps import make_app

SERVICE = page("docs/service.md")
# Not in its own description.
UNDESCRIBED = {"GET /openapi.json", "/ws"}


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def test_every_endpoint_is_told(tmp_path: Path) -> None:
    """The table has each route of the app with its method, and no other."""
    paths = make_app(tmp_path).openapi()["paths"]
    declared = {f"{method.upper()} {path}" for path, item in paths.items() for method in item}

    assert {quoted(row[0])[0] for row in SERVICE.table("endpoint")} == declared | UNDESCRIBED


def test_every_message_is_told() -> None:
    """The table has each type of message, with the fields of its payload."""
    rows = {kind: set(quoted(row[1])) for row in SERVICE.table("type") for kind in quoted(row[0])}

    assert rows == {kind: set(rule) for kind, rule in PAYLOADS.items()}


def test_every_setting_is_told_with_its_default() -> None:
    """The table has each setting, in order, with its default."""
    rows = [(*quoted(row[0]), row[1]) for row in SERVICE.table("setting")]
    numbers = [field for field in fields(Settings) if field.name != "tokens"]

    assert rows == [*((field.name, f"{field.default:,}") for field in numbers), ("tokens", "none")]


def test_every_option_is_told() -> None:
    """The table has each option of `python -m sessions`."""
    options = [option for parameter in main.params for option in parameter.opts]

    assert [quoted(row[0])[0] for row in SERVICE.table("option")] == options
