"""Asks for a path of this machine, completed while it is typed. Opens nothing."""

from __future__ import annotations

import asyncio
import os
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.suggester import Suggester
from textual.widgets import Input

from widgets.dialogs import InputDialog

_MOST = 5000  # entries of a folder that are looked at


def completed(text: str) -> str | None:
    """The first path that begins so, folders with a "/" behind them; None where there is no more of one. Blocks."""
    folder, begun = os.path.split(text)
    try:
        with os.scandir(os.path.expanduser(folder or ".")) as entries:
            found = [
                entry.name + ("/" if entry.is_dir() else "")
                for _, entry in zip(range(_MOST), entries, strict=False)
                if entry.name.startswith(begun) and (begun.startswith(".") or not entry.name.startswith("."))
            ]
    except OSError:
        return None
    whole = os.path.join(folder, min(found, default=begun))
    return whole if whole != text else None


class _Paths(Suggester):
    """Suggests paths."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """The rest of what is typed."""
        return await asyncio.to_thread(completed, value) if value else None


class PathDialog(InputDialog):
    """An input for a path. Tab takes what is suggested."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "complete", "Complete", show=False, priority=True)]

    def on_mount(self) -> None:
        """Suggest, and begin behind what stands there."""
        entry = self.query_one(Input)
        entry.suggester = _Paths()
        entry.cursor_position = len(entry.value)

    async def action_complete(self) -> None:
        """Take the suggestion; what nobody suggests is not taken."""
        entry = self.query_one(Input)
        found = await asyncio.to_thread(completed, entry.value) if entry.value else None
        if found is not None:
            entry.value = found
            entry.cursor_position = len(found)


__all__ = ["PathDialog", "completed"]
