"""Forwards an engine's remote socket to a private local one with the user's own OpenSSH. Asks for no password."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from pathlib import Path

from backends.model.errors import BackendError, Denied, Unreachable, Unsupported
from backends.model.ids import EngineId
from backends.wire.endpoint import Endpoint

OPEN_TIMEOUT_S = 15.0
_POLL_S = 0.05
_STDERR_BYTES = 4096


class SshForward:
    """One `ssh -N -L` process. `ensure` starts it (again) where it does not run; `close` ends it."""

    def __init__(self, endpoint: Endpoint, engine: EngineId, *, program: str = "ssh") -> None:
        self._endpoint = endpoint
        self._engine = engine
        self._program = program
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()
        self._folder: Path | None = None

    async def ensure(self) -> str:
        """The path of the local socket, with a forward behind it.

        Raises Unsupported without ssh, Denied where the far side refuses the login, Unreachable otherwise.
        """
        async with self._lock:
            if self._folder is None:
                self._folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="tranship-ssh-"))  # mode 0700
            socket = self._folder / "engine.sock"
            if self._process is None or self._process.returncode is not None:
                await asyncio.to_thread(socket.unlink, missing_ok=True)
                await self._start(socket)
            return str(socket)

    def argv(self, socket: Path) -> list[str]:
        """The command line: no shell, no prompt, no agent or X11 forwarding."""
        host, _, port = self._endpoint.address.rpartition(":")
        if not host or not port.isdigit() or host.endswith(":"):
            host, port = self._endpoint.address, ""
        options = ["BatchMode=yes", "ExitOnForwardFailure=yes", "StreamLocalBindUnlink=yes", "ConnectTimeout=10"]
        options += ["ServerAliveInterval=15", "ServerAliveCountMax=3", "ForwardAgent=no", "ForwardX11=no"]
        line = [self._program, "-N", "-T"]
        for option in options:
            line += ["-o", option]
        if port:
            line += ["-p", port]
        if self._endpoint.identity:
            line += ["-i", self._endpoint.identity]
        user, at, name = host.rpartition("@")
        line += ["-L", f"{socket}:{self._endpoint.remote_socket}", "--", f"{user}{at}{name.strip('[]')}"]
        return line

    async def close(self) -> None:
        """End the process and remove the private folder; safe to call twice."""
        async with self._lock:
            try:
                await self._stop()
            finally:
                if self._folder is not None:
                    folder, self._folder = self._folder, None
                    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _start(self, socket: Path) -> None:
        errors = socket.with_name("ssh.err")
        try:
            with await asyncio.to_thread(errors.open, "wb") as sink:
                self._process = await asyncio.create_subprocess_exec(
                    *self.argv(socket),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=sink,
                    start_new_session=True,  # Ctrl+C in the terminal is ours, not ssh's
                )
        except FileNotFoundError as error:
            hint = "Install the OpenSSH client."
            raise Unsupported("ssh is not installed here", hint=hint, engine=self._engine) from error
        try:
            async with asyncio.timeout(OPEN_TIMEOUT_S):
                while not await asyncio.to_thread(socket.is_socket):
                    if self._process.returncode is not None:
                        raise self._failure(await asyncio.to_thread(_tail, errors))
                    await asyncio.sleep(_POLL_S)
        except TimeoutError as error:
            await self._stop()
            raise self._failure(await asyncio.to_thread(_tail, errors)) from error
        except BaseException:
            await self._stop()
            raise

    async def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):  # it ended between the look and the signal
            process.terminate()
        try:
            async with asyncio.timeout(3):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):  # as above
                process.kill()
            await process.wait()

    def _failure(self, words: str) -> BackendError:
        if "Permission denied" in words or "Host key verification failed" in words:
            hint = "Log in once with ssh by hand, with a key in the agent: Tranship never asks for a password."
            return Denied(f"{self._endpoint} refuses the login", detail=words, hint=hint, engine=self._engine)
        hint = f"Try it by hand: ssh {self._endpoint.address}"
        return Unreachable(f"No ssh connection to {self._endpoint}", detail=words, hint=hint, engine=self._engine)


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(0, 2)
        file.seek(max(0, file.tell() - _STDERR_BYTES))
        return file.read().decode("utf-8", "replace").strip()


__all__ = ["SshForward"]
