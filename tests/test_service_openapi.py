"""The app against its own OpenAPI: whatever is sent, what comes back was declared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.python.asgi import shutdown_lifespans
from schemathesis.specs.openapi.schemas import OpenApiSchema

from tests.sessions_apps import ANA, make_app

# Derandomised, so that it finds the same each time; shrinking is for whoever reads a failure.
EXAMPLES = settings(
    max_examples=20,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
WITHOUT_INPUT = [
    ("/health", "GET"),
    ("/ready", "GET"),
    ("/metrics", "GET"),
    ("/threads", "GET"),
    ("/sessions", "DELETE"),
]
WITH_INPUT = [
    ("/agents/message", "POST"),
    ("/agents/stream", "POST"),
    ("/threads/messages", "GET"),
    ("/threads", "DELETE"),
]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenApiSchema]:
    """Serve an app in process for as long as the tests here take."""
    app = make_app(tmp_path_factory.mktemp("openapi"))
    yield schemathesis.openapi.from_asgi("/openapi.json", app)
    shutdown_lifespans()


def test_every_operation_is_tried(api: OpenApiSchema) -> None:
    """No route of the app is left out here."""
    paths: dict[str, dict[str, object]] = api.raw_schema["paths"]
    declared = {(path, method.upper()) for path, item in paths.items() for method in item}

    assert declared == {*WITHOUT_INPUT, *WITH_INPUT}


@pytest.mark.parametrize(("path", "method"), WITHOUT_INPUT + WITH_INPUT)
def test_what_may_be_sent_is_answered_as_declared(
    api: OpenApiSchema, path: str, method: str
) -> None:
    """Good requests are taken, refused without a token, and answered by the schema."""
    conforms(api, path, method, GenerationMode.POSITIVE)


@pytest.mark.parametrize(("path", "method"), WITH_INPUT)
def test_what_may_not_be_sent_is_refused_as_declared(
    api: OpenApiSchema, path: str, method: str
) -> None:
    """Requests that break the schema are refused, with an error of the schema."""
    conforms(api, path, method, GenerationMode.NEGATIVE)


def conforms(api: OpenApiSchema, path: str, method: str, mode: GenerationMode) -> None:
    """Send examples of one operation, and hold each answer against what is declared."""

    @EXAMPLES
    @given(case=api[path][method].as_strategy(mode, headers=ANA))
    def check(case: Case[Any]) -> None:
        case.call_and_validate()

    check()
