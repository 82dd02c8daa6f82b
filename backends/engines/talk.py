"""A session over a connection that an engine handed over: what Docker and Podman do alike. Knows neither's API."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable

from backends.model.container import LogStream
from backends.model.ids import EngineId
from backends.model.session import DETACH_BYTES, TerminalSize
from backends.wire.frames import log_frames
from backends.wire.hijack import RawStream

_ENDING_S = 10.0
"""How long an engine may take to know that a program has ended, after the end of its output."""
_ASK_AGAIN_S = 0.05
_APART_S = 0.05
"""Two writes this far apart are two reads at the other end, on any but a very bad link."""
_DETACHED = b"exec attach failed: error on attach stdin: read escape sequence"
"""Docker's words for it. Source: moby daemon/exec.go, which does not know its own EscapeError there."""
_KEYS = re.compile(b"(\x10|(?<=\x10)\x11|^\x11)")
"""Cuts what could be detach keys out of other input."""


class TalkSession:
    """See backends.engine.Session.

    resize: tells the engine of another size. ended: the exit code as the engine has it now, None while it runs.
    """

    def __init__(
        self,
        raw: RawStream,
        engine: EngineId,
        *,
        tty: bool,
        resize: Callable[[TerminalSize], Awaitable[None]],
        ended: Callable[[], Awaitable[int | None]],
    ) -> None:
        self._raw, self._engine, self._tty = raw, engine, tty
        self._resize, self._ended = resize, ended
        self._last = b""
        self._sent_at = 0.0  # of the loop's clock
        self._asked_to_detach = False
        self._over = False

    @property
    def tty(self) -> bool:
        """It has a terminal."""
        return self._tty

    async def output(self) -> AsyncIterator[tuple[LogStream, bytes]]:
        """Raw where it has a terminal, else by frames."""
        chunks = self._raw.chunks()
        if self._tty:
            async for chunk in chunks:
                if not (self._asked_to_detach and chunk.startswith(_DETACHED)):
                    yield LogStream.TTY, chunk
        else:
            async for stream, piece, _ in log_frames(chunks, engine=self._engine):
                yield stream, piece
        self._over = True

    async def send(self, data: bytes) -> None:
        """Input for it."""
        if not self._tty:
            if data and not self._over:
                await self._raw.send(data)
            return
        for piece in _KEYS.split(data):
            if piece and not self._over:
                await self._send_keys(piece)

    async def _send_keys(self, piece: bytes) -> None:
        """Podman knows its detach keys only where each is all that one read of it brings."""
        now = asyncio.get_running_loop().time
        detaches = self._last + piece == DETACH_BYTES
        if piece == DETACH_BYTES[:1] or detaches or self._asked_to_detach:
            await asyncio.sleep(max(0.0, self._sent_at + _APART_S - now()))
        self._asked_to_detach = self._asked_to_detach or detaches
        self._last = piece[-1:]
        await self._raw.send(piece)
        self._sent_at = now()

    async def close_input(self) -> None:
        """Its input has ended."""
        if not self._over:
            await self._raw.close_write()

    async def resize(self, size: TerminalSize) -> None:
        """Tell the engine."""
        if self._tty and not self._over:
            await self._resize(size)

    async def exit_code(self) -> int | None:
        """Engines close the connection a moment before they know the exit code."""
        if self._asked_to_detach:
            return None  # Docker calls that a failure (126); the program runs on
        deadline = asyncio.get_running_loop().time() + _ENDING_S
        while True:
            code = await self._ended()
            if code is not None or asyncio.get_running_loop().time() > deadline:
                return code
            await asyncio.sleep(_ASK_AGAIN_S)


__all__ = ["TalkSession"]
