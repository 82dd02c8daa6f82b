"""Programs in Docker's containers that somebody talks to: exec and attach, over the connection that the daemon hands
over. Runs nothing by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from urllib.parse import quote

from backends.engine import Session, SessionContext
from backends.engines.docker_looking import DockerLooking
from backends.engines.talk import TalkSession, attachment, exec_body
from backends.model.session import ExecSpec, TerminalSize
from backends.wire.hijack import hijacked


class DockerSessions(DockerLooking):
    """Sessions with the containers of one Docker daemon."""

    def open_exec(self, container: str, spec: ExecSpec) -> SessionContext:
        """POST /containers/{id}/exec and its start."""
        return self._open_exec(container, spec)

    def open_attach(self, container: str, *, stdin: bool = True, size: TerminalSize | None = None) -> SessionContext:
        """POST /containers/{id}/attach."""
        return self._open_attach(container, stdin, size)

    @asynccontextmanager
    async def _open_exec(self, container: str, spec: ExecSpec) -> AsyncIterator[Session]:
        asked = exec_body(spec)
        start: dict[str, Any] = {"Detach": False, "Tty": spec.tty}
        if spec.tty and spec.size is not None:  # older daemons pass over it: they are told again below
            asked["ConsoleSize"] = start["ConsoleSize"] = [spec.size.rows, spec.size.columns]
        answer = await self._post(f"/containers/{quote(container, safe='')}/exec", asked)
        with self._understood():
            place = f"/exec/{answer['Id']}"
        ended = partial(self._exec_ended, place)
        async with hijacked(self._wire, "POST", await self._path(f"{place}/start"), body=start) as raw:
            session = TalkSession(raw, self._id, tty=spec.tty, resize=self._resizing(place), ended=ended)
            if spec.size is not None and self._version < (1, 42):
                await session.resize(spec.size)
            yield session

    @asynccontextmanager
    async def _open_attach(self, container: str, stdin: bool, size: TerminalSize | None) -> AsyncIterator[Session]:
        seen = await attachment(self, container, stdin=stdin)
        place = f"/containers/{quote(seen.id, safe='')}"
        path = await self._path(f"{place}/attach")
        params = seen.params("1", "0")
        async with hijacked(self._wire, "POST", path, params=params) as raw:
            session = TalkSession(raw, self._id, tty=seen.tty, resize=self._resizing(place), ended=seen.ended)
            if size is not None:
                await session.resize(size)
            yield session

    def _resizing(self, place: str) -> Callable[[TerminalSize], Awaitable[None]]:
        async def resize(size: TerminalSize) -> None:
            path = await self._path(f"{place}/resize")
            await self._wire.call("POST", path, params={"h": size.rows, "w": size.columns})

        return resize


__all__ = ["DockerSessions"]
