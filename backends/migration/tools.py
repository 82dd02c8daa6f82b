"""Finds an image by which an engine can read and write a volume. Changes nothing; may not pull an image."""

from __future__ import annotations

import math

from backends.engine import Engine
from backends.model.errors import NotFound, Unsupported
from backends.model.image import Image

MOST_TRIED = 8
"""Other images that are tried: each costs a helper container, about half a second."""


async def tool_image(engine: Engine, volume: str, own: str) -> str:
    """The image for helper containers: the container's own, or where that lacks the programs, another of this store.

    volume: any volume of that engine, opened for reading and closed again. own: id of the container's image.
    Other images are tried smallest first, of equal ones the oldest, which is the likeliest to stay; nothing
    of them but their `tar` and `chown` runs, without a network.
    Raises Unsupported where none will do.
    """
    refusal: Unsupported | None = None
    try:
        return await _tried(engine, volume, own)
    except Unsupported as error:
        refusal = error
    images = sorted(await engine.list_images(), key=_preferred)
    for image in [image.key.id for image in images if image.tags and image.key.id != own][:MOST_TRIED]:
        try:
            return await _tried(engine, volume, image)
        except (Unsupported, NotFound):  # it may have been removed meanwhile
            continue
    raise Unsupported(
        refusal.title,
        detail=refusal.detail,
        hint=refusal.hint or f"pull an image that has tar and chown into {engine.id}, such as busybox",
        engine=engine.id,
    ) from refusal


def _preferred(image: Image) -> tuple[int, float]:
    return image.size_bytes, image.created_at.timestamp() if image.created_at is not None else math.inf


async def _tried(engine: Engine, volume: str, image: str) -> str:
    async with engine.export_volume(volume, via_image=image):
        return image
