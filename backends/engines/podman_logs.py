"""Podman's log streams as lines. Pure: opens nothing.

Podman 5.4 frames the log of a container with a terminal too, unlike Docker; others may not, so the first bytes decide.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from backends.model.container import LogLine, LogStream
from backends.model.ids import EngineId
from backends.wire.frames import log_lines

_MARK_BYTES = 4


async def podman_log_lines(
    chunks: AsyncIterator[bytes], *, tty: bool, timestamps: bool, engine: EngineId
) -> AsyncIterator[LogLine]:
    """Lines of `GET /libpod/containers/{id}/logs`; with tty every line is of the terminal."""
    head = bytearray()
    while tty and len(head) < _MARK_BYTES:
        piece = await anext(chunks, b"")
        if not piece:
            break
        head += piece
    raw = tty and not looks_framed(bytes(head))
    async for line in log_lines(_joined(bytes(head), chunks), tty=raw, timestamps=timestamps, engine=engine):
        yield replace(line, stream=LogStream.TTY) if tty else line


def looks_framed(head: bytes) -> bool:
    """Whether a stream begins with a frame header: a stream number and three zeros, which no terminal prints."""
    return len(head) >= _MARK_BYTES and head[0] in {0, 1, 2} and not any(head[1:_MARK_BYTES])


async def _joined(head: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if head:
        yield head
    async for piece in rest:
        yield piece
