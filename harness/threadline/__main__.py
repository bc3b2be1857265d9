"""Start the command: `python -m threadline` is the same program as `threadline`."""

from __future__ import annotations

import io
import sys

from .cli.command import threadline


def main() -> None:
    """Run the command; what goes wrong on our side is told, and exits with a status of its own.

    What the terminal has no character for is told by its number, instead of ending the command.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    threadline(prog_name="threadline")


if __name__ == "__main__":
    main()
