"""Reads the layers of an image that were never read before; nothing is spooled.

From the engine's own folders where these may be read here: of one layer, then, no other is read. Else in one pass over
the engine's `save`.

May not know a concrete engine. Where the caller is cancelled the stream ends at once.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

from backends.engine import Engine
from backends.layers.archive import ArchiveWalk
from backends.layers.cache import LayerCache
from backends.layers.contents import ImageContents
from backends.layers.pace import Stopped
from backends.layers.table import LayerTable, TableWalk
from backends.model.errors import Protocol
from backends.model.image import ImageFacts
from backends.model.image_files import ReadProgress
from backends.stores import StoreError, find_image, rebuild
from backends.streams import ahead, batches, read_ahead

_log = logging.getLogger(__name__)

BATCH_BYTES = 1 << 20
"""What goes to a thread at a time."""


async def read_image(
    engine: Engine, reference: str, cache: LayerCache, progress: Callable[[ReadProgress], None]
) -> ImageContents:
    """All layers of an image, base first. progress: called in the event loop, several times a second.

    Raises what the engine raises (NotFound, Unreachable, ...), and Protocol for an archive that cannot be read.
    """
    facts = await engine.image_facts(reference)
    strange = [diff_id for diff_id in facts.diff_ids if not diff_id.startswith("sha256:")]
    if strange:
        raise Protocol("A layer's digest is of a kind that is not known here", detail=strange[0], engine=engine.id)
    tables = await asyncio.to_thread(_cached, cache, facts.diff_ids)
    missing = set(facts.diff_ids) - set(tables)
    told = ReadProgress(facts.key, 0, facts.size_bytes, len(tables), len(set(facts.diff_ids)))
    progress(told)
    if missing:
        telling = _Telling(progress, told)
        try:
            await _from_store(engine, facts, cache, tables, telling)
        except StoreError as error:
            _log.info("the layers of %s are read from what %s saves: %s", facts.key.short, engine.id, error)
            await _export(engine, facts, cache, tables, telling)
    return ImageContents(facts, tuple(tables[diff_id] for diff_id in facts.diff_ids))


class _Telling:
    def __init__(self, progress: Callable[[ReadProgress], None], told: ReadProgress) -> None:
        self._progress = progress
        self._told = told

    def more(self, count: int, known: int) -> None:
        self._told = replace(self._told, read_bytes=self._told.read_bytes + count, layers_known=known)
        self._progress(self._told)


def _cached(cache: LayerCache, diff_ids: Sequence[str]) -> dict[str, LayerTable]:
    found = {diff_id: cache.get(diff_id) for diff_id in dict.fromkeys(diff_ids)}
    return {diff_id: table for diff_id, table in found.items() if table is not None}


async def _from_store(
    engine: Engine, facts: ImageFacts, cache: LayerCache, tables: dict[str, LayerTable], telling: _Telling
) -> None:
    """Raises StoreError where the folders do not give a layer; those before it are in `tables` then."""
    info = await engine.connect()
    image = await asyncio.to_thread(find_image, engine.id.kind, info, engine.endpoint, facts)
    for layer in image.layers:
        if layer.diff_id in tables:
            continue
        walk = TableWalk()
        try:
            async with aclosing(read_ahead(rebuild(layer))) as pieces:
                async for piece in pieces:
                    await asyncio.to_thread(walk.feed, piece)
                    telling.more(len(piece), len(tables))
            if walk.cut:
                raise Protocol("A layer is cut short", detail=layer.diff_id)
        except Protocol as error:
            error.engine = error.engine or engine.id
            raise
        walk.table.diff_id = layer.diff_id
        tables[layer.diff_id] = walk.table
        await asyncio.to_thread(cache.put, walk.table)
    telling.more(0, len(tables))


async def _export(
    engine: Engine, facts: ImageFacts, cache: LayerCache, tables: dict[str, LayerTable], telling: _Telling
) -> None:
    ended = threading.Event()

    def keep(table: LayerTable) -> None:
        cache.put(table)
        tables[table.diff_id] = table

    walk = ArchiveWalk(set(facts.diff_ids) - set(tables), set(tables), keep, ended.is_set)
    try:
        async with (
            engine.export_image(facts.key.id) as chunks,
            aclosing(ahead(batches(chunks, BATCH_BYTES))) as pieces,
        ):
            async for batch in pieces:
                await asyncio.to_thread(_feed, walk, batch)
                telling.more(len(batch), len(tables))
                if not walk.lacking:
                    return
        walk.close()
    except Protocol as error:
        error.engine = error.engine or engine.id
        raise
    finally:
        ended.set()  # a thread that still unpacks gives up


def _feed(walk: ArchiveWalk, batch: bytes) -> None:
    try:
        walk.feed(batch)
    except Stopped:
        return  # whoever waited for it is gone


__all__ = ["BATCH_BYTES", "read_image"]
