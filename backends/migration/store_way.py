"""Brings an image's missing layers to the target straight from the folders in which the source keeps them.

Nothing lies on disk between: each layer is rebuilt as it is asked for, and proved by its digest before its last byte is
given out. The source's API is not used at all. May not know how a registry serves, nor what lies where in a store.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from functools import partial
from pathlib import Path
from typing import TypeAlias

from backends.engine import Engine
from backends.migration.origin import Origin, watched
from backends.migration.planning import stored_layers
from backends.migration.progress import Flow, Meter
from backends.migration.ways import finds_in_order, present_layers
from backends.model.errors import BackendError
from backends.model.ids import EngineKind
from backends.model.image import ImageFacts
from backends.model.plan import ImageMove
from backends.registry import Registry
from backends.registry.archive import Part, partial_archive
from backends.registry.manifests import OCI, SCHEMA2, plain_manifest, with_plain_layers
from backends.stores import StoredImage, StoredLayer, open_image, rebuild, tar_bytes
from backends.streams import read_ahead

Serve: TypeAlias = Callable[[Path], AbstractAsyncContextManager[Registry]]
"""Opens a registry that both engines reach at its address. Takes the folder for its files."""


async def ship_stored(
    source: Engine, target: Engine, move: ImageMove, report: Callable[[Flow], None], serve: Serve, folder: Path
) -> tuple[tuple[str, ...], int]:
    """Bring what the target lacks of the image; returns what it says it loaded, and the bytes that travelled.

    Podman pulls from a registry of ours, and asks only for layers that it lacks; Docker loads an archive of those.
    Raises StoreError where a layer cannot be read (the target then has no such image), and the errors of the target.
    """
    image = await asyncio.to_thread(open_image, source.id.kind, Path(move.store), move.facts)
    meter = Meter(move.missing_bytes)

    def count(size: int) -> None:
        if meter.count(size):
            report(meter.flow())

    if target.id.kind is EngineKind.PODMAN:
        async with serve(folder) as registry:
            registry.on_bytes = count
            loaded = await _pulled(target, registry, image, move.facts)
    else:
        loaded = await _loaded(target, image, move.facts, count)
    report(meter.flow())
    return loaded, meter.done_bytes


async def _pulled(target: Engine, registry: Registry, image: StoredImage, facts: ImageFacts) -> tuple[str, ...]:
    parts = await asyncio.to_thread(_parts, image.layers)
    sizes = {diff_id: part.size for diff_id, part in parts.items()}
    config = f"sha256:{facts.key.id}"
    manifest = plain_manifest(config, facts.diff_ids, OCI if image.oci else SCHEMA2)
    registry.lent = {**parts, config: Part(len(image.config), partial(_whole, image.config))}
    registry.offer(with_plain_layers(manifest, facts.diff_ids, sizes, len(image.config)), manifest.media_type)
    try:
        return (await target.pull_image(registry.name),)
    except BackendError as error:
        if registry.failed is not None:
            raise registry.failed from error
        raise


async def _loaded(
    target: Engine, image: StoredImage, facts: ImageFacts, count: Callable[[int], None]
) -> tuple[str, ...]:
    stored = await stored_layers(target, sorted({listed.key.id for listed in await target.list_images()}))
    present = present_layers(facts.diff_ids, stored, in_order=finds_in_order(target.id))
    lacking = [layer for at, layer in enumerate(image.layers) if at not in present]
    parts = await asyncio.to_thread(_parts, lacking)
    layers = [None if at in present else parts[layer.diff_id] for at, layer in enumerate(image.layers)]
    origin = Origin()
    async with aclosing(watched(_counted(partial_archive(image.config, layers), count), origin)) as archive:
        with origin:
            return await target.import_image(archive)


def _parts(layers: tuple[StoredLayer, ...] | list[StoredLayer]) -> dict[str, Part]:
    """Blocks: how large a layer's tar is stands nowhere in Docker's store, its list of parts is read for it."""
    return {layer.diff_id: Part(tar_bytes(layer), partial(_rebuilt, layer)) for layer in layers}


def _rebuilt(layer: StoredLayer) -> AsyncGenerator[bytes, None]:
    return read_ahead(rebuild(layer))


async def _whole(data: bytes) -> AsyncGenerator[bytes, None]:
    yield data


async def _counted(chunks: AsyncGenerator[bytes, None], count: Callable[[int], None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(chunks):
        async for chunk in chunks:
            count(len(chunk))
            yield chunk


__all__ = ["Serve", "ship_stored"]
