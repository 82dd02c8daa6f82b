"""A session over a connection that an engine handed over: what Docker and Podman do alike. Knows neither's API."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from backends.engines.executed import exit_code
from backends.model.container import Container, ContainerState, LogStream
from backends.model.errors import Conflict
from backends.model.ids import EngineId
from backends.model.session import DETACH_BYTES, DETACH_KEYS, ExecSpec, TerminalSize
from backends.wire.frames import log_frames
from backends.wire.hijack import RawStream

_APART_S = 0.05
"""Two writes this far apart are two reads at the other end, on any but a very bad link."""
_DETACHED = b"exec attach failed: error on attach stdin: read escape sequence"
"""Docker's words for it. Source: moby daemon/exec.go, which does not know its own EscapeError there."""
_KEYS = re.compile(b"(\x10|(?<=\x10)\x11|^\x11)")
"""Cuts what could be detach keys out of other input."""


class Looks(Protocol):
    """What is asked of an engine before one of its containers is talked to: the engine itself can answer."""

    @property
    def id(self) -> EngineId:
        """Which engine."""

    async def inspect_container(self, container: str) -> Container:
        """See backends.engine.Engine."""

    async def inspect_raw(self, container: str) -> dict[str, object]:
        """See backends.engine.Engine."""


def exec_body(spec: ExecSpec) -> dict[str, Any]:
    """Body of POST /containers/{id}/exec, alike on both engines."""
    return {
        "AttachStdin": spec.stdin,
        "AttachStdout": True,
        "AttachStderr": True,
        "Tty": spec.tty,
        "DetachKeys": DETACH_KEYS,
        "Cmd": list(spec.argv),
        "Env": list(spec.env),
        "User": spec.user,
        "WorkingDir": spec.workdir,
    }


@dataclass(frozen=True, slots=True)
class Attachment:
    """What is known of a container that somebody attaches to. tty: it has a terminal. stdin: ask for its input."""

    engine: Looks
    id: str
    tty: bool
    stdin: bool

    def params(self, yes: str, no: str) -> dict[str, str]:
        """Query of POST /containers/{id}/attach. yes, no: as the engine writes them."""
        wanted = {"stream": yes, "stdout": yes, "stderr": yes, "detachKeys": DETACH_KEYS}
        return {**wanted, "stdin": yes if self.stdin else no}

    async def ended(self) -> int | None:
        """The exit code, None while it lives."""
        now = await self.engine.inspect_container(self.id)
        return None if now.state.alive else now.exit_code


async def attachment(engine: Looks, container: str, *, stdin: bool) -> Attachment:
    """Look before attaching. Raises Conflict where the container does not run."""
    seen = await engine.inspect_container(container)
    if seen.state is not ContainerState.RUNNING:
        hint = "Start it first; `tranship logs` shows what it said."
        raise Conflict(f"Container {seen.name} is not running", hint=hint, engine=engine.id)
    config = (await engine.inspect_raw(container)).get("Config")
    told = config if isinstance(config, dict) else {}
    tty = bool(told.get("Tty"))
    # Without stdin there is nobody who would look out for the detach keys: it is asked for, and nothing is sent.
    return Attachment(engine, seen.key.id, tty, tty or (stdin and bool(told.get("OpenStdin"))))


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
        """None too where the engine does not tell it in time."""
        if self._asked_to_detach:
            return None  # Docker calls that a failure (126); the program runs on
        return await exit_code(self._ended)


__all__ = ["TalkSession", "attachment", "exec_body"]
