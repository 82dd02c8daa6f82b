"""A docker-archive of an image in which only some layers are files: Docker's load opens none that its store has.

Source: moby, image/tarexport/load.go: a layer whose chain id is in the layer store is never read from the archive.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import AsyncIterator, Sequence

from backends.registry.depot import Depot


def _head(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size = size
    member.mode = 0o644
    return member.tobuf(tarfile.GNU_FORMAT)


def _padding(size: int) -> bytes:
    return b"\0" * (-size % tarfile.BLOCKSIZE)


async def partial_archive(depot: Depot, config: str, layers: Sequence[str]) -> AsyncIterator[bytes]:
    """The archive, without a name for the image. config: its digest; layers: digests in the depot, base first, ""
    for one that the receiver has. Raises KeyError where a blob is not in the depot.
    """
    held = await depot.read(config)
    named = f"{config.removeprefix('sha256:')}.json"
    files = [f"{at:03d}/layer.tar" for at in range(len(layers))]
    index = json.dumps([{"Config": named, "RepoTags": None, "Layers": files}]).encode()
    for name, data in (("manifest.json", index), (named, held)):
        yield _head(name, len(data)) + data + _padding(len(data))
    for name, digest in zip(files, layers, strict=True):
        if digest:
            size = depot.blobs[digest].size
            yield _head(name, size)
            async for piece in depot.pieces(digest):
                yield piece
            yield _padding(size)
    yield b"\0" * (2 * tarfile.BLOCKSIZE)
