"""Runs a tar through a TarCopy in a thread, beside the stream. May not know where it comes from or goes to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from backends.migration.tarcopy import TarCopy
from backends.streams import batches

BATCH_BYTES = 512 * 1024
"""Bytes that go to a thread at once: passing and digesting them takes about 1 ms, handing them over about 0.1 ms."""

PIECE_BYTES = 128 * 1024


async def passed_on(chunks: AsyncIterator[bytes], copy: TarCopy) -> AsyncGenerator[bytes, None]:
    """What the copy passes on, in pieces that no receiver stumbles over.

    The thread is one batch behind the stream: three batches are held at most.
    """
    job: asyncio.Task[bytes] | None = None
    try:
        async for batch in batches(chunks, BATCH_BYTES):
            passed = await job if job is not None else b""
            job = asyncio.create_task(asyncio.to_thread(copy.passed, batch), name="passing on")
            for start in range(0, len(passed), PIECE_BYTES):
                yield passed[start : start + PIECE_BYTES]
        passed = await job if job is not None else b""
        for start in range(0, len(passed), PIECE_BYTES):
            yield passed[start : start + PIECE_BYTES]
    finally:
        if job is not None:
            job.cancel()
            await asyncio.gather(job, return_exceptions=True)


__all__ = ["BATCH_BYTES", "PIECE_BYTES", "passed_on"]
