"""Programs in Docker's containers that somebody talks to: exec and attach, over the connection that the daemon hands
over. Runs nothing by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

from backends.engine import Session, SessionContext
from backends.engines.docker_looking import DockerLooking
from backends.engines.talk import TalkSession
from backends.model.container import ContainerState
from backends.model.errors import Conflict
from backends.model.session import DETACH_KEYS, ExecSpec, TerminalSize
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
        start: dict[str, Any] = {"Detach": False, "Tty": spec.tty}
        if spec.tty and spec.size is not None:  # older daemons pass over it: they are told again below
            asked["ConsoleSize"] = start["ConsoleSize"] = [spec.size.rows, spec.size.columns]
        answer = await self._post(f"/containers/{quote(container, safe='')}/exec", asked)
        with self._understood():
            place = f"/exec/{answer['Id']}"

        async def ended() -> int | None:
            told = await self._get(f"{place}/json")
            with self._understood():
                return None if told["Running"] or told["ExitCode"] is None else int(told["ExitCode"])

        async with hijacked(self._wire, "POST", await self._path(f"{place}/start"), body=start) as raw:
            session = TalkSession(raw, self._id, tty=spec.tty, resize=self._resizing(place), ended=ended)
            if spec.size is not None and self._version < (1, 42):
                await session.resize(spec.size)
            yield session

    @asynccontextmanager
    async def _open_attach(self, container: str, stdin: bool, size: TerminalSize | None) -> AsyncIterator[Session]:
        seen = await self.inspect_container(container)
        if seen.state is not ContainerState.RUNNING:
            hint = "Start it first; `tranship logs` shows what it said."
            raise Conflict(f"Container {seen.name} is not running", hint=hint, engine=self._id)
        config = (await self.inspect_raw(container)).get("Config")
        tty = isinstance(config, dict) and bool(config.get("Tty"))
        takes = stdin and isinstance(config, dict) and bool(config.get("OpenStdin"))
        place = f"/containers/{quote(seen.key.id, safe='')}"
        wanted = {"stream": "1", "stdout": "1", "stderr": "1", "detachKeys": DETACH_KEYS}

        async def ended() -> int | None:
            now = await self.inspect_container(seen.key.id)
            return None if now.state.alive else now.exit_code

        path = await self._path(f"{place}/attach")
        # Without stdin there is nobody who would look out for the detach keys: it is asked for, and nothing is sent.
        params = {**wanted, "stdin": "1" if takes or tty else "0"}
        async with hijacked(self._wire, "POST", path, params=params) as raw:
            session = TalkSession(raw, self._id, tty=tty, resize=self._resizing(place), ended=ended)
            if size is not None:
                await session.resize(size)
            yield session

    def _resizing(self, place: str) -> Callable[[TerminalSize], Awaitable[None]]:
        async def resize(size: TerminalSize) -> None:
            path = await self._path(f"{place}/resize")
            await self._wire.call("POST", path, params={"h": size.rows, "w": size.columns})

        return resize


__all__ = ["DockerSessions"]
