"""Brings an image to the target: what it lacks, from the source's folders or by a registry of our own; or all of it.

All ways stream with a bounded amount in memory and leave no name on either engine. May not know how a registry serves.
"""

from __future__ import annotations

import asyncio
import json
import logging
import tempfile
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import TypeAlias

from backends.engine import Engine
from backends.migration.facts import same_image
from backends.migration.origin import Origin, watched
from backends.migration.planning import image_or_none, stored_layers
from backends.migration.pour import pour
from backends.migration.progress import Flow, Meter, metered
from backends.migration.store_way import Serve, ship_stored
from backends.migration.ways import finds_in_order, pours, present_layers
from backends.model.errors import BackendError, Protocol
from backends.model.ids import EngineKind
from backends.model.image import ImageFacts
from backends.model.plan import ImageMove, ImageWay
from backends.registry import Registry, open_registry
from backends.registry.archive import Part, partial_archive
from backends.registry.depot import Depot
from backends.registry.manifests import Manifest, plain_manifest, with_plain_layers
from backends.stores import StoreError

Report: TypeAlias = Callable[[Flow], None]

_log = logging.getLogger(__name__)

_MOST_PUSHES = 4
"""One that asks what the source knows, one for what the target lacks, one more for each surprise."""


async def ship(
    source: Engine,
    target: Engine,
    move: ImageMove,
    report: Report,
    *,
    serve: Serve = open_registry,
    folder: Path | None = None,
    note: Callable[[str], None] = lambda _text: None,
) -> tuple[ImageFacts, int]:
    """Bring the image that has the id of `move.facts` to the target, without a name; returns what the target has, and
    the bytes that travelled.

    As `move.way` says. Where the source's own folders cannot be read after all it goes by the registry, and where a way
    fails otherwise (an engine does not reach 127.0.0.1, say) by the archive.
    folder: where the registry's own folder is made, None = the system's for temporary files.
    note: told where it goes another way than planned.
    Raises Protocol where the target does not have the same image afterwards, and the errors of both engines.
    """
    place = folder or Path(tempfile.gettempdir())
    way = move.way
    if way is ImageWay.STORE:
        try:
            loaded, size = await ship_stored(source, target, move, report, serve, place)
            return await _landed(target, move.facts, loaded), size
        except StoreError as error:
            _log.warning("the image goes by a registry: the store's folders could not be read: %s", error)
            note(f"the image was not read from {source.id}'s own store: {_words(error)}")
            way = ImageWay.REGISTRY
        except (BackendError, OSError) as error:
            _log.warning("the image goes as an archive: the way from the store failed: %s", error)
            note(f"the image went whole, in one stream: the way from {source.id}'s own store failed ({error})")
    if way is ImageWay.REGISTRY:
        try:
            async with serve(place) as registry:
                return await _ship_missing(source, target, move, report, registry)
        except (BackendError, OSError) as error:
            _log.warning("the image goes as an archive: the registry way failed: %s", error)
            note(f"the image went whole, in one stream: the way by a registry on 127.0.0.1 failed ({error})")
    return await ship_image(source, target, move.facts, report)


def _words(error: StoreError) -> str:
    return f"{error.title} ({error.detail})" if error.detail else error.title


async def ship_image(source: Engine, target: Engine, facts: ImageFacts, report: Report) -> tuple[ImageFacts, int]:
    """Stream the image that has this id to the target, without a name; returns what the target has, and the bytes.

    Without a name nothing on the target can be renamed by the load. Raises Protocol where the target does not
    have the same image afterwards, and the errors of both engines.
    """
    meter = Meter(facts.size_bytes or None)
    origin = Origin()
    async with (
        source.export_image(facts.key.id) as chunks,
        aclosing(metered(watched(chunks, origin), meter, report)) as stream,
    ):
        with origin:
            loaded = await target.import_image(stream)
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


# -- the registry way ----------------------------------------------------------------------------
async def _ship_missing(
    source: Engine, target: Engine, move: ImageMove, report: Report, registry: Registry
) -> tuple[ImageFacts, int]:
    facts = move.facts
    stored = await stored_layers(target, sorted({image.key.id for image in await target.list_images()}))
    present = present_layers(facts.diff_ids, stored, in_order=finds_in_order(target.id))
    meter = Meter(move.missing_bytes)

    def count(size: int) -> None:
        if meter.count(size):
            report(meter.flow())

    depot, cores = registry.depot, await asyncio.to_thread(_free_cores)
    manifest = None
    if not pours(source.id, target.id, facts, move.missing_bytes, cores):
        registry.on_bytes = count
        if pours(source.id, target.id, facts, facts.size_bytes, cores):
            registry.most_uploads = len(facts.diff_ids) - len(present) + 1
        manifest = await _pushed(source, registry, facts, present)
    if manifest is None:
        manifest = await _poured(source, depot, facts, present, count)
    if target.id.kind is EngineKind.PODMAN:
        sizes = {digest: blob.size for digest, blob in depot.blobs.items()}
        registry.offer(with_plain_layers(manifest, facts.diff_ids, sizes, sizes[manifest.config]), manifest.media_type)
        loaded: tuple[str, ...] = (await target.pull_image(registry.name),)
    else:
        config = await depot.read(manifest.config)
        layers = [None if at in present else _part(depot, digest) for at, digest in enumerate(manifest.layers)]
        async with aclosing(partial_archive(config, layers)) as archive:
            loaded = await target.import_image(archive)
    report(meter.flow())
    return await _landed(target, facts, loaded), depot.received_bytes


def _part(depot: Depot, digest: str) -> Part:
    return Part(depot.blobs[digest].size, lambda: depot.pieces(digest))


def _free_cores() -> float:
    """Cores of this machine that have nothing to do now, at least one: it would be shared. Takes 0.2 s."""
    import psutil  # not needed where no image travels

    cores = psutil.cpu_count() or 1
    return max(1.0, cores * (1 - psutil.cpu_percent(interval=0.2) / 100))


async def _poured(
    source: Engine, depot: Depot, facts: ImageFacts, present: frozenset[int], count: Callable[[int], None]
) -> Manifest:
    """Take what the target lacks out of the source's own archive; returns a manifest of plain layers."""
    wanted = {diff_id for at, diff_id in enumerate(facts.diff_ids) if at not in present} | {facts.config_digest}
    async with source.export_image(facts.key.id) as chunks:
        await pour(chunks, depot, wanted, count)
    return plain_manifest(facts.config_digest, facts.diff_ids)


async def _pushed(source: Engine, registry: Registry, facts: ImageFacts, present: frozenset[int]) -> Manifest | None:
    """Let the source push until the registry holds all that the target lacks; returns the manifest.

    None where Docker would send more than that, since it knows no digest of layers that came by an archive, or were
    made by it, and never went to or came from a registry; only where registry.most_uploads is set.

    Podman asks for a layer by its diff-ID first, so that the first push brings all. Docker asks by compressed digests
    that only it can tell the layers of: the first push calls them all present (reading nothing), and its manifest
    tells which they are; those that the target lacks are denied in the next push.
    """
    here = frozenset(facts.diff_ids[at] for at in present)
    guess = bool(present) and source.id.kind is EngineKind.DOCKER
    denied = {facts.config_digest}
    registry.declines = source.id.kind is EngineKind.DOCKER
    for _ in range(_MOST_PUSHES):
        registry.begin_push(lambda digest: digest in here or (guess and digest not in denied))
        try:
            await source.push_image(facts.key.id, registry.name)
        except BackendError:
            if registry.overrun:
                return None
            if not (registry.declines and registry.images):
                raise
        held = registry.depot.blobs
        manifest = await _manifest_of(registry, facts)
        lacking = {manifest.config} if manifest else {image.config for image in registry.images}
        if manifest:
            lacking |= {digest for at, digest in enumerate(manifest.layers) if at not in present}
            lacking = {digest for digest in lacking if digest not in held}
            if not lacking:
                return manifest
        denied.update(lacking)
    raise Protocol("the source did not push all layers", detail=", ".join(sorted(lacking)), engine=source.id)


async def _manifest_of(registry: Registry, facts: ImageFacts) -> Manifest | None:
    """The pushed manifest of this image, None where its config must be seen to tell it from others."""
    fitting = [image for image in registry.images if len(image.layers) == len(facts.diff_ids)]
    exact = [image for image in fitting if image.config == facts.config_digest]
    if exact or len(fitting) == 1:
        return (exact or fitting)[0]
    for image in fitting:
        if image.config in registry.depot.blobs:
            try:
                rootfs = json.loads(await registry.depot.read(image.config)).get("rootfs") or {}
                diff_ids = tuple(rootfs.get("diff_ids") or ())
            except (ValueError, TypeError, AttributeError, RecursionError):
                continue  # no configuration of an image
            if diff_ids == facts.diff_ids:
                return image
    if not fitting:
        raise Protocol("the source pushed another image than was asked for", detail=facts.key.short)
    return None


__all__ = ["Report", "Serve", "ship", "ship_image"]
