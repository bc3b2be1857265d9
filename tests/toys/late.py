"""What is imported while operations run."""

from __future__ import annotations


def value() -> int:
    first = 1
    return first + 1


VALUE = value()
