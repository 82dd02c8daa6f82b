"""The folder that Tranship was started in, which may have been deleted since. Makes none."""

from __future__ import annotations

from pathlib import Path


def here() -> Path:
    """The current folder, for proposing a place in it; the home folder where the current one is no more."""
    try:
        return Path.cwd()
    except OSError:
        return Path.home()


__all__ = ["here"]
