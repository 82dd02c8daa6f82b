"""A program that is run in a container to its end: what Docker and Podman do alike. Knows neither's API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from backends.model.container import LogStream
from backends.model.ids import EngineId
from backends.wire.frames import log_frames

_SAID_BYTES = 1 << 20
"""Of each stream of a program; see ExecResult."""
_ENDING_S = 10.0
"""How long an engine may take to know that a program has ended, after the end of its output."""
_ASK_AGAIN_S = 0.05


async def said(chunks: AsyncIterator[bytes], engine: EngineId) -> tuple[bytes, bytes]:
    """The beginnings of stdout and stderr; all is read."""
    out, err = bytearray(), bytearray()
    async for stream, piece, _ in log_frames(chunks, engine=engine):
        kept = err if stream is LogStream.STDERR else out
        kept += piece[: max(0, _SAID_BYTES - len(kept))]
    return bytes(out), bytes(err)


async def exit_code(ended: Callable[[], Awaitable[int | None]]) -> int | None:
    """The exit code: engines close the connection a moment before they know it. None where they do not tell in time.

    ended: the exit code as the engine has it now, None while the program runs.
    """
    deadline = asyncio.get_running_loop().time() + _ENDING_S
    while True:
        code = await ended()
        if code is not None or asyncio.get_running_loop().time() > deadline:
            return code
        await asyncio.sleep(_ASK_AGAIN_S)


__all__ = ["exit_code", "said"]
