"""Streams of bytes in pieces of another size. Knows nothing of what the bytes mean."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator


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


__all__ = ["batches"]
