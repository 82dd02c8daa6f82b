"""The console script `tranship`, and `python -m tui`. Does nothing but start the command line."""

from __future__ import annotations

from tui.cli.root import tranship


def main() -> None:
    """Read the command line, do what it says, exit."""
    tranship(prog_name="tranship")


if __name__ == "__main__":
    main()
