"""From the words of a command line to images. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from backends.model.errors import NotFound, Unreachable
from backends.model.image_sharing import ImageList, ImageShare
from tui.cli.pick import first_view, not_connected, the_engine, unreachable
from widgets.text import inert

if TYPE_CHECKING:
    from backends.services.fleet import Fleet
    from backends.services.images import FleetImages


async def look(fleet: Fleet, *engines: str | None) -> tuple[FleetImages, ImageList]:
    """All images of the engines that answer. engines: names of those that must; Unreachable where one does not, or
    where none does at all.
    """
    from backends.services.images import FleetImages

    view = await first_view(fleet)
    for name in engines:
        if name is not None:
            the_engine(view, name)
    if view.engines and all(known.stale for known in view.engines.values()):
        raise not_connected(next(iter(view.engines.values())))
    images = FleetImages(fleet)
    seen = await images.look()
    return images, replace(seen, errors=(*seen.errors, *unreachable(view)))


def the_image(seen: ImageList, word: str, engine: str | None = None) -> ImageShare:
    """The image of this tag or digest, or whose id begins so.

    Raises click.UsageError where several fit, NotFound where none does, and Unreachable where none does and an engine
    that may have it does not answer.
    """
    from backends.services.images import find_images

    candidates = [share for share in seen.images if engine is None or share.image.key.engine.name == engine]
    found = find_images(candidates, word)
    if len(found) == 1:
        return found[0]
    if found:
        raise click.UsageError(inert(_several(word, found)))
    where = f" on {engine}" if engine else ""
    if seen.errors and engine is None:
        raise Unreachable(
            f"no image “{word}” on the engines that answer",
            detail="; ".join(str(error) for error in seen.errors),
            hint=seen.errors[0].hint,
        )
    raise NotFound(f"no image “{word}”{where}", hint="`tranship images` lists all")


def _several(word: str, found: Sequence[ImageShare]) -> str:
    engines = sorted({share.image.key.engine.name for share in found})
    if len(engines) > 1:
        return f"“{word}” is on {' and on '.join(engines)}: say which with --engine (or --from)"
    names = ", ".join(sorted(f"{share.name} ({share.image.key.short})" for share in found))
    return f"“{word}” fits several images of {engines[0]}: {names}"


def given_name(share: ImageShare, word: str) -> str:
    """The tag of the image that the word is, in full; "" where the word is its id or a digest."""
    from backends.model.reference import full_reference

    if word in share.image.tags:
        return word
    try:
        full = full_reference(word)
    except ValueError:  # an id
        return ""
    return full if full in share.image.tags else ""
