"""`tranship presets [NAME]`: what kinds of containers there are, and what one sets and why. Changes nothing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from backends.draft.fields import FIELDS
from tui.cli import schema
from tui.cli.exits import Exit
from tui.cli.options import json_option
from tui.cli.output import answer, complain, data, rows, say
from tui.cli.run import preset_of
from tui.cli.session import Invocation, pass_invocation
from tui.cli.table import Column
from widgets.text import inert

if TYPE_CHECKING:
    from backends.presets.preset import Preset

COLUMNS = (Column("PRESET"), Column("IMAGE", give=2, cut="middle"), Column("WHAT FOR", give=1))


@click.command()
@click.argument("name", required=False)
@json_option
@pass_invocation
def presets(invocation: Invocation, name: str | None) -> None:
    """List the presets, or show what one sets and why.

    Your own are TOML files beside the settings file, in the folder presets; one of the same name takes the place.
    """
    from backends.presets.shelf import read_shelf, user_folder

    preset = preset_of(name)
    if preset is not None:
        _show(preset, as_json=invocation.json)
        return
    shelf = read_shelf()
    if invocation.json:
        answer(
            presets=[_plain(one) for one in shelf.presets],
            folder=str(user_folder()),
            errors=[schema.error(error) for error in shelf.errors],
        )
    else:
        rows(COLUMNS, [(one.name, one.draft.one("image"), one.what) for one in shelf.presets])
        say(f"your own: {user_folder()}/NAME.toml; tranship presets NAME shows what one sets and why")
    for error in shelf.errors:
        complain(error)
    if shelf.errors:
        sys.exit(Exit.USAGE)


def _show(preset: Preset, *, as_json: bool) -> None:
    if as_json:
        answer(preset=_plain(preset))
        return
    data(inert(f"{preset.title}: {preset.what}"))
    for field in FIELDS:
        for text in preset.draft.all(field.id):
            data("")
            data(inert(f"{field.title}  {text}"))
            data(inert(f"    {preset.why(field.id, text)}"))
    data("")
    data(inert(f"from {preset.source}"))


def _plain(preset: Preset) -> dict[str, object]:
    settings = [
        {"field": field.id, "value": text, "why": preset.why(field.id, text)}
        for field in FIELDS
        for text in preset.draft.all(field.id)
    ]
    return {
        "name": preset.name,
        "title": preset.title,
        "what": preset.what,
        "training": preset.training,
        "source": preset.source,
        "settings": settings,
    }


__all__ = ["presets"]
