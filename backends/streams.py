"""Streams of bytes in pieces of another size. Knows nothing of what the bytes mean."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator


async def batches(chunks: AsyncIterator[bytes], size: int) -> AsyncGenerator[bytes, None]:
    """The same bytes in pieces of at least this many bytes; the last one may be smaller."""
    held: list[bytes] = []
    count = 0
    async for chunk in chunks:
        held.append(chunk)
        count += len(chunk)
        if count >= size:
            yield b"".join(held)
            held, count = [], 0
    if held:
        yield b"".join(held)


async def read_ahead(pieces: Generator[bytes, None, None]) -> AsyncGenerator[bytes, None]:
    """The same pieces, each made in a thread while the one before is used; `pieces` is closed in the end."""
    coming = asyncio.ensure_future(asyncio.to_thread(next, pieces, None))
    try:
        while (piece := await asyncio.shield(coming)) is not None:
            coming = asyncio.ensure_future(asyncio.to_thread(next, pieces, None))
            yield piece
    finally:
        await asyncio.wait([coming])  # what a thread has begun ends by itself
        if not coming.cancelled():
            coming.exception()  # was raised above, or nobody waits for it any more
        pieces.close()


async def ahead(pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The same pieces, the next one awaited while the one before is used; `pieces` is closed in the end."""
    coming = asyncio.ensure_future(anext(pieces, None))
    try:
        while (piece := await coming) is not None:
            coming = asyncio.ensure_future(anext(pieces, None))
            yield piece
    finally:
        coming.cancel()
        await asyncio.wait([coming])
        if not coming.cancelled():
            coming.exception()  # was raised above, or nobody waits for it any more
        await pieces.aclose()


__all__ = ["ahead", "batches", "read_ahead"]
