"""Programs in Podman's containers that somebody talks to: exec and attach, over the connection that the service hands
over. Runs nothing by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from backends.engine import Session, SessionContext
from backends.engines.podman_api import segment
from backends.engines.podman_looking import PodmanLooking
from backends.engines.talk import TalkSession, attachment, exec_body
from backends.model.session import ExecSpec, TerminalSize


class PodmanSessions(PodmanLooking):
    """Sessions with the containers of one Podman service."""

    def open_exec(self, container: str, spec: ExecSpec) -> SessionContext:
        """POST /containers/{id}/exec and its start."""
        return self._open_exec(container, spec)

    def open_attach(self, container: str, *, stdin: bool = True, size: TerminalSize | None = None) -> SessionContext:
        """POST /containers/{id}/attach."""
        return self._open_attach(container, stdin, size)

    @asynccontextmanager
    async def _open_exec(self, container: str, spec: ExecSpec) -> AsyncIterator[Session]:
        answer = await self._api.change("POST", f"/containers/{segment(container)}/exec", body=exec_body(spec))
        with self._understood():
            place = f"/exec/{segment(str(answer['Id']))}"
        ended = partial(self._exec_ended, place)
        start: dict[str, Any] = {"Detach": False, "Tty": spec.tty}
        if spec.tty and spec.size is not None:
            start |= {"h": spec.size.rows, "w": spec.size.columns}
        async with self._api.hijacked(f"{place}/start", body=start) as raw:
            yield TalkSession(raw, self._id, tty=spec.tty, resize=self._resizing(place), ended=ended)

    @asynccontextmanager
    async def _open_attach(self, container: str, stdin: bool, size: TerminalSize | None) -> AsyncIterator[Session]:
        seen = await attachment(self, container, stdin=stdin)
        place = f"/containers/{segment(seen.id)}"
        params = seen.params("true", "false")
        async with self._api.hijacked(f"{place}/attach", params) as raw:
            session = TalkSession(raw, self._id, tty=seen.tty, resize=self._resizing(place), ended=seen.ended)
            if size is not None:
                await session.resize(size)
            yield session

    def _resizing(self, place: str) -> Callable[[TerminalSize], Awaitable[None]]:
        async def resize(size: TerminalSize) -> None:
            await self._api.send("POST", f"{place}/resize", {"h": size.rows, "w": size.columns}, timeout_s=10.0)

        return resize


__all__ = ["PodmanSessions"]
