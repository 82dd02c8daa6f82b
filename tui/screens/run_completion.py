"""What a form completes while it is typed: names that are there, and paths of this machine. Changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from textual.suggester import Suggester

from tui.screens.path_question import completed


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
        return await asyncio.to_thread(completed, value) if self.local and "/" in value else None


def short_names(images: Iterable[str]) -> tuple[str, ...]:
    """Images as people type them, then in full: "python:3.11" beside "docker.io/library/python:3.11"."""
    full = tuple(images)
    short = [name.removeprefix("docker.io/library/").removeprefix("docker.io/") for name in full]
    return (*dict.fromkeys(short), *full)


__all__ = ["Names", "Paths", "short_names"]
