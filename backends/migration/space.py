"""A target whose disk fills up on the way: a copy ends before it is full, and an engine's own words are understood.

An engine whose store is full to the last byte cannot even remove what was put there: Podman's database, and its list of
layers, need room for each removal (podman 5.4: "database or disk is full"). May not remove anything.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

from backends.engine import Engine
from backends.migration.show import size
from backends.model.errors import BackendError, Refused

RESERVE_BYTES = 8 * 2**20
"""What is left free, so that all can be taken back: for the engine's records, and what is still on its way to it."""

_CLOSEST_BYTES = 2**20
_FARTHEST_BYTES = 256 * 2**20
"""Bytes between two looks; in between: half of what is free, for others may write there too."""

_FULL = ("no space left on device", "disk is full", "disk quota exceeded")
"""The words of ENOSPC and EDQUOT (strerror(3)) and of SQLITE_FULL, in what an engine says."""


async def guarded(engine: Engine, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The same chunks, on their way into a volume of that engine. Raises Refused where its store is nearly full.

    An engine that cannot tell its room is not asked again.
    """
    before_next = 0
    async for chunk in chunks:
        before_next -= len(chunk)
        if before_next < 0:
            room = await engine.room()
            if room.free_bytes is None:
                before_next = 2**62
            elif room.free_bytes < RESERVE_BYTES:
                where = room.graph_root or "its storage"
                title = f"{engine.id} has no space left: {size(room.free_bytes)} free in {where}"
                raise Refused(title, hint=f"make room in {where}, then move again", engine=engine.id)
            else:
                spare = (room.free_bytes - RESERVE_BYTES) // 2
                before_next = min(max(spare, _CLOSEST_BYTES), _FARTHEST_BYTES)
        yield chunk


def full(error: BackendError) -> bool:
    """Whether the engine says that its disk is full."""
    words = f"{error.title}\n{error.detail}".lower()
    return any(known in words for known in _FULL)
