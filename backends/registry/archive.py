"""A docker-archive of an image in which only some layers are files: Docker's load opens none that its store has.

Source: moby, image/tarexport/load.go: a layer whose chain id is in the layer store is never read from the archive.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from backends.registry.depot import digest_of


def _head(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size = size
    member.mode = 0o644
    return member.tobuf(tarfile.GNU_FORMAT)


def _padding(size: int) -> bytes:
    return b"\0" * (-size % tarfile.BLOCKSIZE)


@dataclass(frozen=True, slots=True)
class Part:
    """A layer that is a file of the archive. size: bytes, exactly those that the pieces have together."""

    size: int
    pieces: Callable[[], AsyncGenerator[bytes, None]]


async def partial_archive(config: bytes, layers: Sequence[Part | None]) -> AsyncGenerator[bytes, None]:
    """The archive, without a name for the image. layers: base first, None for one that the receiver has.

    Raises what the pieces raise.
    """
    named = f"{digest_of(config).removeprefix('sha256:')}.json"
    files = [f"{at:03d}/layer.tar" for at in range(len(layers))]
    index = json.dumps([{"Config": named, "RepoTags": None, "Layers": files}]).encode()
    for name, data in (("manifest.json", index), (named, config)):
        yield _head(name, len(data)) + data + _padding(len(data))
    for name, part in zip(files, layers, strict=True):
        if part is not None:
            yield _head(name, part.size)
            async with aclosing(part.pieces()) as pieces:
                async for piece in pieces:
                    yield piece
            yield _padding(part.size)
    yield b"\0" * (2 * tarfile.BLOCKSIZE)
