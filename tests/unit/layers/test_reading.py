"""Reading from an engine: once for each layer ever, in one pass, and no longer than anyone waits for it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest

from backends.engine import Engine
from backends.layers.cache import LayerCache
from backends.layers.reading import read_image
from backends.model.capabilities import EngineInfo
from backends.model.errors import NotFound, Protocol
from backends.model.ids import EngineId
from backends.model.image import ImageFacts
from backends.model.image_files import ReadProgress
from tests.unit.layers.images import ENGINE, docker_archive, facts, layer, table
from tests.unit.stores.folders import docker_store, facts_of, info_of

BASE, SECOND = layer({"a": b"1" * 5000}), layer({"b": b"2"})


class Saving:
    """An engine with one image. exports: how often it was asked for it; open: streams that have not ended."""

    def __init__(self, layers: list[bytes], archive: bytes | None = None, *, hangs: bool = False) -> None:
        self.id: EngineId = ENGINE
        self.layers = layers
        self.archive = docker_archive(layers) if archive is None else archive
        self.hangs = hangs
        self.exports = 0
        self.open = 0
        self.begun = asyncio.Event()
        self.image: ImageFacts | None = None
        self.endpoint = "unix:///nowhere/engine.sock"
        self.info = EngineInfo("1", "1", rootless=False, local=False)

    async def connect(self) -> EngineInfo:
        return self.info

    async def image_facts(self, reference: str) -> ImageFacts:
        if reference != "it":
            raise NotFound("no such image", engine=self.id)
        return self.image or facts(self.layers, len(self.archive))

    @asynccontextmanager
    async def export_image(self, _: str) -> AsyncIterator[AsyncIterator[bytes]]:
        self.exports += 1
        self.open += 1
        try:
            yield self._chunks()
        finally:
            self.open -= 1

    async def _chunks(self) -> AsyncIterator[bytes]:
        half = len(self.archive) // 2
        yield self.archive[:half]
        self.begun.set()
        if self.hangs:
            await asyncio.Event().wait()
        yield self.archive[half:]


def as_engine(saving: Saving) -> Engine:
    return cast("Engine", saving)


async def test_a_layer_is_read_once_whatever_image_it_is_in(tmp_path: Path) -> None:
    cache = LayerCache(tmp_path)
    first, second = Saving([BASE]), Saving([BASE, SECOND])
    told: list[ReadProgress] = []
    assert (await read_image(as_engine(first), "it", cache, told.append)).tables == (table(BASE),)
    assert (told[0].layers_known, told[-1].layers_known, told[-1].layers) == (0, 1, 1)
    assert 0 < told[-1].read_bytes <= len(first.archive)
    for _ in range(2):
        read = await read_image(as_engine(second), "it", cache, told.append)
        assert read.tables == (table(BASE), table(SECOND))
    await read_image(as_engine(first), "it", cache, told.append)
    assert (first.exports, second.exports, second.open) == (1, 1, 0)


async def test_a_layer_that_comes_twice_in_an_image(tmp_path: Path) -> None:
    saving = Saving([BASE, SECOND, BASE])
    read = await read_image(as_engine(saving), "it", LayerCache(tmp_path), lambda _: None)
    assert [one.size_bytes for one in read.tables] == [5000, 1, 5000]
    assert read.waste().wasted_bytes == 5000


async def test_who_is_cancelled_lets_the_engine_go_at_once(tmp_path: Path) -> None:
    saving = Saving([BASE, SECOND], hangs=True)
    task = asyncio.create_task(read_image(as_engine(saving), "it", LayerCache(tmp_path), lambda _: None))
    await asyncio.wait_for(saving.begun.wait(), 5)
    assert saving.open == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert saving.open == 0


async def test_a_failure_names_the_engine(tmp_path: Path) -> None:
    with pytest.raises(Protocol) as caught:
        await read_image(as_engine(Saving([BASE], b"no tar" * 200)), "it", LayerCache(tmp_path), lambda _: None)
    assert caught.value.engine == ENGINE
    with pytest.raises(NotFound):
        await read_image(as_engine(Saving([BASE])), "other", LayerCache(tmp_path), lambda _: None)


# -- from the engine's own folders -----------------------------------------------------------------
def stored(saving: Saving, root: Path) -> Saving:
    """The engine is of this machine and keeps its image in Docker's folders below this one."""
    docker_store(root, saving.layers)
    saving.info = info_of(root, "overlay2")
    saving.image = facts_of(saving.id.kind, saving.layers)
    return saving


async def test_where_the_store_may_be_read_nothing_is_saved_and_one_layer_alone_is_read(tmp_path: Path) -> None:
    cache, told = LayerCache(tmp_path / "cache"), list[ReadProgress]()
    await read_image(as_engine(Saving([BASE])), "it", cache, lambda _: None)
    both = stored(Saving([BASE, SECOND]), tmp_path / "store")
    shutil.rmtree(tmp_path / "store/overlay2/cache0/diff")  # of the layer that is known: nobody looks into its files
    (tmp_path / "store/overlay2/cache0/diff").mkdir()
    read = await read_image(as_engine(both), "it", cache, told.append)
    assert read.tables == (table(BASE), table(SECOND))
    assert both.exports == 0
    assert (told[-1].read_bytes, told[-1].layers_known) == (len(SECOND), 2)
    assert cache.get(table(SECOND).diff_id) == table(SECOND)


async def test_where_a_layer_of_the_store_cannot_be_read_the_image_is_saved(tmp_path: Path) -> None:
    both = stored(Saving([BASE, SECOND]), tmp_path / "store")
    (tmp_path / "store/overlay2/cache1/diff/b").write_bytes(b"3")
    read = await read_image(as_engine(both), "it", LayerCache(tmp_path / "cache"), lambda _: None)
    assert read.tables == (table(BASE), table(SECOND))
    assert both.exports == 1
