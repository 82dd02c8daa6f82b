"""A registry filled from what `save` writes: what is kept, what is left, and archives that are no good."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backends.migration.pour import BLOBS, pour
from backends.model.errors import Protocol
from backends.registry.depot import Depot, digest_of

CONFIG, BASE, TOP = b'{"rootfs":{}}', os.urandom(3_000_001), b"x" * 5000


def archive(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("a-link"))
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return made.getvalue()


def named(*blobs: bytes) -> dict[str, bytes]:
    return {BLOBS + digest_of(blob).removeprefix("sha256:"): blob for blob in blobs}


async def chunks(data: bytes, size: int = 70_001) -> AsyncIterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


async def content(depot: Depot, digest: str) -> bytes:
    return b"".join([piece async for piece in depot.pieces(digest)])


@pytest.mark.parametrize("files", [named(BASE, CONFIG, TOP), {"1/layer.tar": BASE, "c.json": CONFIG, "2/l.tar": TOP}])
async def test_what_is_wanted_is_kept_whatever_its_name(tmp_path: Path, files: dict[str, bytes]) -> None:
    depot, read = Depot(tmp_path), list[int]()
    data = archive({**files, "manifest.json": b"[]"})
    wanted = {digest_of(BASE), digest_of(CONFIG)}
    await pour(chunks(data), depot, wanted, read.append)
    assert set(depot.blobs) == wanted
    assert await content(depot, digest_of(BASE)) == BASE
    assert await content(depot, digest_of(CONFIG)) == CONFIG
    assert sum(read) == len(data)
    assert (depot.uploads, len(os.listdir(depot.folder))) == ({}, 2)
    assert sum(blob.size for blob in depot.blobs.values()) == len(BASE) + len(CONFIG)


async def test_a_layer_that_is_not_in_the_archive_is_missed(tmp_path: Path) -> None:
    with pytest.raises(Protocol, match="lacks") as caught:
        await pour(chunks(archive(named(BASE))), Depot(tmp_path), {digest_of(BASE), digest_of(TOP)}, lambda _: None)
    assert digest_of(TOP) in caught.value.detail


async def test_an_archive_that_is_cut_is_refused(tmp_path: Path) -> None:
    depot = Depot(tmp_path)
    with pytest.raises(Protocol, match="cut short"):
        await pour(chunks(archive(named(BASE))[:1_000_000]), depot, {digest_of(BASE)}, lambda _: None)
    assert depot.blobs == {}
    depot.close()
    assert os.listdir(tmp_path) == []
