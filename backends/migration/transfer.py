"""Streams whole volumes from one engine to the other: no temporary file, a bounded amount in memory."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing

from backends.engine import Engine
from backends.migration.manifest import Manifest, ManifestTap, read_manifest
from backends.migration.origin import Origin, watched
from backends.migration.progress import Flow, Meter, metered
from backends.migration.space import guarded

Report = Callable[[Flow], None]


async def copy_volume(
    source: Engine, target: Engine, names: tuple[str, str], images: tuple[str, str], report: Report
) -> tuple[Manifest, int]:
    """Stream a volume's content into a volume of the target; returns its manifest, and the bytes.

    names: of the volume on the source and on the target. images: one in each engine's store, for helper containers.
    """
    meter = Meter(None)
    origin = Origin()
    async with (
        ManifestTap() as tap,
        source.export_volume(names[0], via_image=images[0]) as chunks,
        aclosing(metered(watched(guarded(target, chunks), origin), meter, report, tap.feed)) as stream,
    ):
        with origin:
            await target.import_volume(names[1], stream, via_image=images[1])
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
