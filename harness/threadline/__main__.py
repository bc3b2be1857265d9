"""Start the command: `python -m threadline` is the same program as `threadline`."""

from __future__ import annotations

import sys
import traceback

from .cli.command import threadline

OURS = 3  # as the exit status of what a model, a scenario or threadline itself has broken


def main() -> None:
    """Run the command; what goes wrong on our side is told, and exits with a status of its own."""
    try:
        threadline(prog_name="threadline")
    except Exception:
        traceback.print_exc()
        sys.exit(OURS)


if __name__ == "__main__":
    main()
