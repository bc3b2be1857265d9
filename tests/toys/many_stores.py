"""Drivers of one store under many names."""

from __future__ import annotations

from tests.toys.stores import StartedOnce

for _number in range(8):
    _made = type(f"Store{_number}", (StartedOnce,), {})
    globals()[_made.__name__] = _made
