"""From the build dialog to a build: what is offered, what is wrong with an answer, what it wishes. Builds nothing."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from backends.model.capabilities import Capability
from backends.model.errors import BackendError
from backends.model.fleet import FleetView
from backends.model.ids import EngineId

if TYPE_CHECKING:
    from backends.services.builds import BuildWish
    from widgets.build_dialog import BuildAsked, BuildDialog


def engines_of(view: FleetView) -> list[EngineId]:
    """Where may be built: the engines that are connected."""
    return view.offering(Capability.STORES)


def build_question(engines: list[EngineId], now: BuildAsked) -> BuildDialog:
    """The dialog. now: what was asked the last time."""
    from widgets.build_dialog import BuildDialog

    return BuildDialog([engine.name for engine in engines], lambda asked: wrong_with(asked, engines), now=now)


def wrong_with(asked: BuildAsked, engines: list[EngineId]) -> str:
    """What is wrong with it, "" where nothing is. Looks at the folder."""
    from backends.build_context import source
    from backends.services.images import full_name

    try:
        wish = wish_of(asked)
        for tag in wish.tags:
            full_name(tag, engines[asked.engine])
        source(wish.folder, wish.file)
    except ValueError as error:
        return str(error)
    except BackendError as error:
        return f"{error.title}. {error.detail or error.hint}"
    return ""


def wish_of(asked: BuildAsked) -> BuildWish:
    """What was asked, as a wish. Raises ValueError for arguments that are none."""
    from backends.services.builds import BuildWish

    arguments = {}
    for word in shlex.split(asked.arguments):
        name, equals, value = word.partition("=")
        if not name or not equals:
            raise ValueError(f"arguments are NAME=VALUE, not “{word}”")
        arguments[name] = value
    return BuildWish(
        Path(os.path.expanduser(asked.folder or ".")),
        (asked.name,) if asked.name else (),
        Path(os.path.expanduser(asked.file)) if asked.file else None,
        arguments,
        target=asked.target,
    )


__all__ = ["build_question", "engines_of", "wish_of", "wrong_with"]
