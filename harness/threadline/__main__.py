"""Start the command: `python -m threadline` is the same program as `threadline`."""

from __future__ import annotations

from .cli.command import threadline


def main() -> None:
    """Run the command; what goes wrong on our side is told, and exits with a status of its own."""
    threadline(prog_name="threadline")


if __name__ == "__main__":
    main()
