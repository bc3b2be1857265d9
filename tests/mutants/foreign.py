"""A cache in a place that no session manager names: what is put here, only a reader of it finds."""

from __future__ import annotations

KEPT: list[object] = []
