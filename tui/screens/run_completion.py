"""What a form completes while it is typed: names that are there, and paths of this machine. Changes nothing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable

from textual.suggester import Suggester

_MOST_ENTRIES = 2000  # of a folder that are looked at


class Names(Suggester):
    """Completes to the first of the names that begins so; the names may be given later."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._names = tuple(names)

    def give(self, names: Iterable[str]) -> None:
        """Complete to these from now on."""
        self._names = tuple(names)

    async def get_suggestion(self, value: str) -> str | None:
        """The name."""
        return next((name for name in self._names if value and name.startswith(value) and name != value), None)


class Paths(Names):
    """Completes host paths before the ":" of a mount, where the engine is on this machine; else names (volumes)."""

    local = True

    async def get_suggestion(self, value: str) -> str | None:
        """The path."""
        if value[:1] not in {"/", "~", "."} or ":" in value:
            return await super().get_suggestion(value)
        return await asyncio.to_thread(completed_path, value) if self.local else None


def completed_path(text: str) -> str | None:
    """The text with the rest of the first entry that begins so, folders with "/"; None where there is none."""
    folder, _, begun = text.rpartition("/")
    if not folder and not text.startswith("/"):
        return None
    try:
        with os.scandir(os.path.expanduser(folder) or "/") as entries:
            names = [
                f"{entry.name}/" if entry.is_dir() else entry.name
                for _, entry in zip(range(_MOST_ENTRIES), entries, strict=False)
                if entry.name.startswith(begun) and (begun or not entry.name.startswith("."))
            ]
    except OSError:  # no such folder, or not for us: there is nothing to complete
        return None
    rest = min(names, default=begun)
    return f"{folder}/{rest}" if rest != begun else None


def short_names(images: Iterable[str]) -> tuple[str, ...]:
    """Images as people type them, then in full: "python:3.11" beside "docker.io/library/python:3.11"."""
    full = tuple(images)
    short = [name.removeprefix("docker.io/library/").removeprefix("docker.io/") for name in full]
    return (*dict.fromkeys(short), *full)


__all__ = ["Names", "Paths", "completed_path", "short_names"]
