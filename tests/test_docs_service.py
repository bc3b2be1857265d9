"""What docs/service.md says of the service is what the service has."""

from __future__ import annotations

import re
import shlex
from dataclasses import fields
from pathlib import Path

import yaml
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import make_url

from sessions.__main__ import main
from sessions.messages.message import PAYLOADS
from sessions.settings import Settings
from sessions.storage.failures import KINDS
from tests.doc_pages import page
from tests.project import ROOT
from tests.sessions_apps import make_app, make_service, served

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

    assert rows == {kind: set(payload.model_fields) for kind, payload in PAYLOADS.items()}


def test_every_setting_is_told_with_its_default() -> None:
    """The table has each setting, in order, with its default."""
    rows = [(*quoted(row[0]), row[1]) for row in SERVICE.table("setting")]
    numbers = [field for field in fields(Settings) if field.name != "tokens"]

    assert rows == [*((field.name, f"{field.default:,}") for field in numbers), ("tokens", "none")]


def test_every_option_is_told() -> None:
    """The table has each option of `python -m sessions`."""
    options = [option for parameter in main.params for option in parameter.opts]

    assert [quoted(row[0])[0] for row in SERVICE.table("option")] == options


def test_every_kind_of_storage_error_is_told() -> None:
    """The table has each kind, in order."""
    assert [quoted(row[0])[0] for row in SERVICE.table("kind")] == [*KINDS]


def test_every_metric_is_told(tmp_path: Path) -> None:
    """The table has each metric with its type, in the order of /metrics."""
    with served(make_service(tmp_path)) as app:
        shown = [*text_string_to_metric_families(app.get("/metrics").text)]

    assert [(quoted(row[0])[0], row[1]) for row in SERVICE.table("metric")] == [
        (f"{each.name}_total" if each.type == "counter" else each.name, each.type) for each in shown
    ]


def test_compose_starts_what_there_is() -> None:
    """The command's options are the service's, its database is that of the other container."""
    services = yaml.safe_load((ROOT / "docs/compose.yaml").read_text("utf-8"))["services"]
    words = shlex.split(services["service"]["command"][-1].partition("-m sessions ")[2])
    given = dict(zip(words[::2], words[1::2], strict=True))
    database = make_url(given["--database"])

    assert given.keys() <= {option for parameter in main.params for option in parameter.opts}
    assert database.get_backend_name() == "postgresql"
    assert database.database == services["database"]["environment"]["POSTGRES_DB"]
    assert f"127.0.0.1:{database.port}:5432" in services["database"]["ports"]
    assert f'127.0.0.1:{given["--port"]}/ready"' in services["service"]["healthcheck"]["test"][-1]
