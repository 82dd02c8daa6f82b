"""Streams images and volumes from one engine to the other: no temporary file, a bounded amount in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from backends.engine import Engine
from backends.migration.facts import same_image
from backends.migration.manifest import Manifest, ManifestTap, read_manifest
from backends.migration.planning import image_or_none
from backends.migration.progress import Flow, Meter, metered
from backends.model.errors import BackendError, Protocol
from backends.model.image import ImageFacts

Report = Callable[[Flow], None]


@dataclass(slots=True)
class _Origin:
    """Remembers why the sending side broke off: the receiving side only sees that its stream ended."""

    error: BackendError | None = None


async def _watched(chunks: AsyncIterator[bytes], origin: _Origin) -> AsyncIterator[bytes]:
    try:
        async for chunk in chunks:
            yield chunk
    except BackendError as error:
        origin.error = error
        raise


async def ship_image(source: Engine, target: Engine, facts: ImageFacts, report: Report) -> tuple[ImageFacts, int]:
    """Stream the image that has this id to the target, without a name; returns what the target has, and the bytes.

    Without a name nothing on the target can be renamed by the load. Raises Protocol where the target does not
    have the same image afterwards, and the errors of both engines.
    """
    meter = Meter(facts.size_bytes or None)
    origin = _Origin()
    async with (
        source.export_image(facts.key.id) as chunks,
        aclosing(metered(_watched(chunks, origin), meter, report)) as stream,
    ):
        try:
            loaded = await target.import_image(stream)
        except BackendError as error:
            if origin.error is not None:
                raise origin.error from error
            raise
    report(meter.flow())
    return await _landed(target, facts, loaded), meter.done_bytes


async def _landed(target: Engine, facts: ImageFacts, loaded: tuple[str, ...]) -> ImageFacts:
    """The loaded image on the target: by the source's id, else by what the engine said it loaded."""
    for reference in (facts.key.id, *loaded):
        seen = await image_or_none(target, reference)
        if seen is not None and same_image(facts, seen):
            return seen
    raise Protocol(
        "the image that the target loaded is not the one that was sent",
        detail=f"sent {facts.key.short}, loaded {', '.join(loaded) or 'nothing'}; layers or platform differ",
        engine=target.id,
    )


async def copy_volume(
    source: Engine, target: Engine, names: tuple[str, str], images: tuple[str, str], report: Report
) -> tuple[Manifest, int]:
    """Stream a volume's content into a volume of the target; returns its manifest, and the bytes.

    names: of the volume on the source and on the target. images: one in each engine's store, for helper containers.
    """
    meter = Meter(None)
    origin = _Origin()
    async with (
        ManifestTap() as tap,
        source.export_volume(names[0], via_image=images[0]) as chunks,
        aclosing(metered(_watched(chunks, origin), meter, report, tap.feed)) as stream,
    ):
        try:
            await target.import_volume(names[1], stream, via_image=images[1])
        except BackendError as error:
            if origin.error is not None:
                raise origin.error from error
            raise
        async for _ in stream:  # what stands after the tar's end is of no interest to the receiver
            pass
        report(meter.flow())
        return await tap.finish(), meter.done_bytes


async def volume_manifest(engine: Engine, name: str, via_image: str, expected: int, report: Report) -> Manifest:
    """Read a volume's content and make its manifest. expected: bytes, for the progress."""
    meter = Meter(expected)
    async with (
        engine.export_volume(name, via_image=via_image) as chunks,
        aclosing(metered(chunks, meter, report)) as stream,
    ):
        return await read_manifest(stream)
