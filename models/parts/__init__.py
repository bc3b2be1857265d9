"""The reference model of the parts of sessions/ that need no system around them."""

from models.parts.model import Parts

__all__ = ["Parts"]
