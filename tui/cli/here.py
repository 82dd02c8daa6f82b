"""Paths that a person typed, as seen from the current folder, which may have been deleted. Opens none."""

from __future__ import annotations

from pathlib import Path

import click


def absolute(path: Path) -> Path:
    """The path from the root. Exits with 2 where it is relative and the current folder is no more."""
    try:
        return path.absolute()
    except OSError as error:
        raise click.UsageError(
            "the current folder is no more: cd to one that is there, or write the path whole"
        ) from error


__all__ = ["absolute"]
