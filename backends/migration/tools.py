"""Finds an image by which an engine can read and write a volume. Changes nothing; may not pull an image."""

from __future__ import annotations

from backends.engine import Engine
from backends.model.errors import NotFound, Unsupported

MOST_TRIED = 8
"""Other images that are tried: each costs a helper container, about half a second."""


async def tool_image(engine: Engine, volume: str, own: str) -> str:
    """The image for helper containers: the container's own, or where that lacks the programs, another of this store.

    volume: any volume of that engine, opened for reading and closed again. own: id of the container's image.
    Other images are tried smallest first; nothing of them but their `tar` and `chown` runs, without a network.
    Raises Unsupported where none will do.
    """
    refusal: Unsupported | None = None
    try:
        return await _tried(engine, volume, own)
    except Unsupported as error:
        refusal = error
    images = sorted(await engine.list_images(), key=lambda image: image.size_bytes)
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


async def _tried(engine: Engine, volume: str, image: str) -> str:
    async with engine.export_volume(volume, via_image=image):
        return image
