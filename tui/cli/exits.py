"""Exit codes of the command line, and which failure has which. Knows no engine."""

from __future__ import annotations

from enum import IntEnum

from backends.model.errors import BackendError, TimedOut, Unreachable


class Exit(IntEnum):
    """What a script may rely on; the numbers are part of the interface."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    BLOCKED = 4


def exit_of(error: BackendError) -> Exit:
    """The code of a failure: an engine that does not answer is told from one that says no."""
    return Exit.UNREACHABLE if isinstance(error, (Unreachable, TimedOut)) else Exit.FAILED


def worst(codes: list[Exit]) -> Exit:
    """The code of several results together: the highest; DONE where there were none."""
    return max(codes, default=Exit.DONE)
