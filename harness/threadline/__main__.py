"""Start the command: `python -m threadline` is the same program as `threadline`."""

from __future__ import annotations

import io
import sys
import traceback

from .cli.command import threadline

OURS = 3  # as the exit status of what a model, a scenario or threadline itself has broken


def main() -> None:
    """Run the command; what goes wrong on our side is told, and exits with a status of its own.

    What the terminal has no character for is told by its number, instead of ending the command.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        threadline(prog_name="threadline")
    except Exception:
        traceback.print_exc()
        sys.exit(OURS)


if __name__ == "__main__":
    main()
