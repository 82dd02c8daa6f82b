"""The program on the demo fleet, one image of which holds files worth a picture. For `make screenshots` only."""

from __future__ import annotations

from backends.engines import demo_fleet
from tests.pilot.held import LARGE, with_held


def main() -> None:
    """As `tranship`."""
    demo_fleet.demo_engines = with_held(demo_fleet.demo_engines, LARGE)
    from tui.__main__ import main as tranship

    tranship()


if __name__ == "__main__":
    main()
