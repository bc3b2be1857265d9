"""Wiring: the fixtures that tests in several files share."""

from tests.project import project

__all__ = ["project"]
