"""The fewest steps that show a mutant, as its decorator is given them."""

from __future__ import annotations

from collections.abc import Mapping


def by_signature(
    least: Mapping[str, int | tuple[int, ...]],
) -> dict[str, int | tuple[int, ...]]:
    """Return the steps by signature: `memory_wait` is memory-wait, `__` begins where it shows."""
    return {name.replace("__", ".").replace("_", "-", 1): steps for name, steps in least.items()}
