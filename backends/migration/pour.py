"""Fills a registry's depot from the archive that an engine's `save` writes: layers plain, as they lie in its store.

A push compresses each layer by gzip first, which takes longer than reading it. May not ask an engine.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection

from backends.migration.tarsplit import End, Head, TarSplitter
from backends.model.errors import Protocol
from backends.registry.depot import PIECE_BYTES, Depot
from backends.streams import batches

BLOBS = "blobs/sha256/"
"""Where the archive names its files by their digests: Docker's from version 25 on. Others are told by their content."""


class _Intake:
    """Takes the archive piece by piece, in threads. wanted: digests of the blobs that are kept."""

    def __init__(self, depot: Depot, wanted: Collection[str]) -> None:
        self._depot = depot
        self._wanted = wanted
        self._splitter = TarSplitter()
        self._upload = ""

    def take(self, data: bytes) -> None:
        for part in self._splitter.split(data):
            if isinstance(part, Head):
                self._upload = self._begun(part)
            elif self._upload and isinstance(part, End):
                self._depot.keep(self._upload, self._wanted)
                self._upload = ""
            elif self._upload and isinstance(part, bytes):
                self._depot.uploads[self._upload].put(part)

    def close(self) -> None:
        self._splitter.close()

    def _begun(self, head: Head) -> str:
        """The upload of a member that may be wanted, "" where it is not."""
        if head.kind != b"0":
            return ""
        if not head.name.startswith(BLOBS):
            return self._depot.begin()
        digest = f"sha256:{head.name.removeprefix(BLOBS)}"
        return self._depot.begin(digest) if digest in self._wanted and digest not in self._depot.blobs else ""


async def pour(
    chunks: AsyncIterator[bytes], depot: Depot, wanted: Collection[str], count: Callable[[int], None]
) -> None:
    """Read an image's archive and keep the blobs that are wanted: its config, and layers by their diff-IDs.

    count: told how many bytes have been read. Raises Protocol where the archive is broken, or lacks one of them.
    """
    intake = _Intake(depot, wanted)
    async for batch in batches(chunks, PIECE_BYTES):
        count(len(batch))
        await asyncio.to_thread(intake.take, batch)
    intake.close()
    missing = [digest for digest in wanted if digest not in depot.blobs]
    if missing:
        raise Protocol("the image's archive lacks some of its layers", detail=", ".join(missing))


__all__ = ["pour"]
