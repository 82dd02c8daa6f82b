"""The list of presets above a screen: reads the files, asks, hands on the one that was chosen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from backends.draft.draft import Draft
from backends.draft.fields import FIELDS
from backends.presets.preset import Preset
from backends.presets.shelf import Shelf, read_shelf
from widgets.preset_picker import PresetPicker, PresetRow

if TYPE_CHECKING:
    from textual.app import App

EMPTY = Preset("", "Empty form", "Any image; you say what it needs.", Draft())


def preset_picker(app: App[Any], take: Callable[[Preset | None], Awaitable[None]]) -> None:
    """Ask which preset; take is called with it, `EMPTY` among them, None where cancelled."""

    async def ask() -> None:
        shelf = await asyncio.to_thread(read_shelf)

        async def chosen(name: str | None) -> None:
            await take(None if name is None else EMPTY if name == "" else shelf.get(name))

        app.push_screen(PresetPicker(rows_of(shelf), [error.title for error in shelf.errors]), chosen)

    app.call_later(ask)


def rows_of(shelf: Shelf) -> list[PresetRow]:
    """The rows, an empty form first."""
    return [PresetRow("", EMPTY.title, EMPTY.what), *(_row(preset) for preset in shelf.presets)]


def _row(preset: Preset) -> PresetRow:
    settings = tuple(
        (f"{field.title}  {text}", preset.why(field.id, text))
        for field in FIELDS
        for text in preset.draft.all(field.id)
    )
    return PresetRow(preset.name, preset.title, preset.what, settings)


__all__ = ["EMPTY", "preset_picker", "rows_of"]
