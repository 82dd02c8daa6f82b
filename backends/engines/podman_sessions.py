"""Programs in Podman's containers that somebody talks to: exec and attach, over the connection that the service hands
over. Runs nothing by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from backends.engine import Session, SessionContext
from backends.engines.podman_api import segment
from backends.engines.podman_looking import PodmanLooking
from backends.engines.talk import TalkSession
from backends.model.container import ContainerState
from backends.model.errors import Conflict
from backends.model.session import DETACH_KEYS, ExecSpec, TerminalSize


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
        asked: dict[str, Any] = {
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
        answer = await self._api.change("POST", f"/containers/{segment(container)}/exec", body=asked)
        with self._understood():
            place = f"/exec/{segment(str(answer['Id']))}"

        async def ended() -> int | None:
            told = await self._api.get(f"{place}/json")
            with self._understood():
                return None if told["Running"] else int(told["ExitCode"])

        start: dict[str, Any] = {"Detach": False, "Tty": spec.tty}
        if spec.tty and spec.size is not None:
            start |= {"h": spec.size.rows, "w": spec.size.columns}
        async with self._api.hijacked(f"{place}/start", body=start) as raw:
            yield TalkSession(raw, self._id, tty=spec.tty, resize=self._resizing(place), ended=ended)

    @asynccontextmanager
    async def _open_attach(self, container: str, stdin: bool, size: TerminalSize | None) -> AsyncIterator[Session]:
        seen = await self.inspect_container(container)
        if seen.state is not ContainerState.RUNNING:
            hint = "Start it first; `tranship logs` shows what it said."
            raise Conflict(f"Container {seen.name} is not running", hint=hint, engine=self._id)
        config = (await self.inspect_raw(container)).get("Config")
        tty = isinstance(config, dict) and bool(config.get("Tty"))
        takes = stdin and isinstance(config, dict) and bool(config.get("OpenStdin"))
        place = f"/containers/{segment(seen.key.id)}"
        wanted = {"stream": "true", "stdout": "true", "stderr": "true", "detachKeys": DETACH_KEYS}

        async def ended() -> int | None:
            now = await self.inspect_container(seen.key.id)
            return None if now.state.alive else now.exit_code

        # Without stdin there is nobody who would look out for the detach keys: it is asked for, and nothing is sent.
        params = {**wanted, "stdin": "true" if takes or tty else "false"}
        async with self._api.hijacked(f"{place}/attach", params) as raw:
            session = TalkSession(raw, self._id, tty=tty, resize=self._resizing(place), ended=ended)
            if size is not None:
                await session.resize(size)
            yield session

    def _resizing(self, place: str) -> Callable[[TerminalSize], Awaitable[None]]:
        async def resize(size: TerminalSize) -> None:
            await self._api.send("POST", f"{place}/resize", {"h": size.rows, "w": size.columns}, timeout_s=10.0)

        return resize


__all__ = ["PodmanSessions"]
