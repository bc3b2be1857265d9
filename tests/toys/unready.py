"""What needs a library that is not installed."""

import nowhere  # type: ignore[import-not-found]  # noqa: F401  # on purpose
