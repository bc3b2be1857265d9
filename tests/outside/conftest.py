"""What the tests of this folder tell beside their verdict."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Take a line of figures, which is shown at the end, whether workers run the test or not."""
    return lambda line: record_property("figures", line)
