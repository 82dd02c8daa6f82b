"""Forwards an engine's remote socket to a private local one with the user's own OpenSSH. Asks for no password.

~/.ssh/config, agent, jump hosts and a running ControlMaster are used as they are; we never become a master, whose end
would cut the user's other sessions.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket as sockets
import tempfile
import time
from pathlib import Path

from backends.model.errors import BackendError, Unsupported
from backends.model.ids import EngineId
from backends.wire.endpoint import Endpoint
from backends.wire.ssh_words import (
    destination,
    far_failure,
    far_question,
    login_failure,
    read_answer,
    slow_login,
    usual_socket,
)

OPEN_TIMEOUT_S = 8.0
"""How long a call waits for a login; less than a supervisor waits for an answer, so that ssh's own words are told."""
GIVE_UP_S = 60.0
"""A login that takes longer is begun anew."""
ASK_TIMEOUT_S = 6.0
_POLL_S = 0.05
_STDERR_BYTES = 4096
# BatchMode: neither a password nor a passphrase is asked for. LogLevel: its reasons are wanted, also where the user's
# own settings silence them. A forward of the user's own that is taken already must not end ours.
_OPTIONS = (
    "BatchMode=yes",
    "ControlMaster=no",
    "ConnectTimeout=7",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    "ForwardAgent=no",
    "ForwardX11=no",
    "LogLevel=INFO",
    "RemoteCommand=none",
    "RequestTTY=no",
)
_FORWARD_OPTIONS = ("ExitOnForwardFailure=no", "StreamLocalBindUnlink=yes")


class SshForward:
    """One `ssh -N -L` process. `ensure` starts it (again) where it does not run; `close` ends it."""

    def __init__(self, endpoint: Endpoint, engine: EngineId, *, program: str = "ssh") -> None:
        self._endpoint = endpoint
        self._engine = engine
        self._program = program
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()
        self._folder: Path | None = None
        self._remote = endpoint.remote_socket
        self._began = 0.0  # time.monotonic()
        self._listens = False

    async def ensure(self) -> str:
        """The path of the local socket, with a forward behind it.

        Raises Unsupported without ssh, Denied where the far side refuses the login, Unreachable otherwise.
        """
        async with self._lock:
            if self._folder is None:
                prefix = f"tranship-ssh-{os.getpid()}-"  # doctor tells those of dead processes
                self._folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=prefix))  # mode 0700
            socket = self._folder / "engine.sock"
            if self._process is None or self._process.returncode is not None:
                await self._start(socket)
            if not self._listens:
                await self._listening(socket)
            return str(socket)

    async def explain(self, error: BackendError) -> BackendError:
        """A better error than that of a call which found nobody at the far end: what is the matter there."""
        process = self._process
        if process is None or process.returncode is not None or self._folder is None:
            return error  # the next call opens it again, and says why where it cannot
        words = await asyncio.to_thread(_tail, self._folder / "ssh.err")
        try:
            answer = await self._ask(self._remote)
        except BackendError:
            return error  # the link went with it: what was seen first is told
        return far_failure(answer, self._remote, words, self._endpoint, self._engine) or error

    def argv(self, socket: Path) -> list[str]:
        """The command line of the forward: no shell, no prompt, no agent or X11 forwarding."""
        line = [self._program, "-N", "-T"]
        for option in (*_OPTIONS, *_FORWARD_OPTIONS):
            line += ["-o", option]
        return [*line, "-L", self._spec(socket), *destination(self._endpoint)]

    def _spec(self, socket: Path) -> str:
        return f"{socket}:{self._remote}"

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
        self._listens = False
        await asyncio.to_thread(socket.unlink, missing_ok=True)
        if not self._remote:
            self._remote = usual_socket(self._engine.kind, await self._ask(""))
        with await asyncio.to_thread(socket.with_name("ssh.err").open, "wb") as sink:
            self._process = await self._run(self.argv(socket), stderr=sink, stdout=asyncio.subprocess.DEVNULL)
        self._began = time.monotonic()

    async def _run(self, argv: list[str], *, stdout: int, stderr: object) -> asyncio.subprocess.Process:
        try:
            return await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,  # type: ignore[arg-type]  # typeshed: int | IO
                start_new_session=True,  # no terminal that it could ask on; and Ctrl+C is ours, not ssh's
            )
        except FileNotFoundError as error:
            hint = "Install the OpenSSH client."
            raise Unsupported("ssh is not installed here", hint=hint, engine=self._engine) from error

    async def _listening(self, socket: Path) -> None:
        """Wait for the login. A call that is cancelled, or waits no longer, leaves it to go on for the next call."""
        process = self._process
        assert process is not None  # ensure has just started it
        errors = socket.with_name("ssh.err")
        try:
            async with asyncio.timeout(OPEN_TIMEOUT_S):
                while not await asyncio.to_thread(socket.is_socket):
                    if process.returncode is not None:
                        raise login_failure(await asyncio.to_thread(_tail, errors), self._endpoint, self._engine)
                    await asyncio.sleep(_POLL_S)
        except TimeoutError as error:
            taken_s = time.monotonic() - self._began
            words = await asyncio.to_thread(_tail, errors)
            if taken_s > GIVE_UP_S:
                await self._stop()
            raise slow_login(taken_s, words, self._endpoint, self._engine) from error
        self._listens = True

    async def _ask(self, socket: str) -> dict[str, str]:
        """What the far machine says of a socket and its engines. Raises what a login raises."""
        argv = [self._program, "-T", "-o", "ClearAllForwardings=yes"]
        for option in _OPTIONS:
            argv += ["-o", option]
        argv += [*destination(self._endpoint), far_question(socket)]
        pipe = asyncio.subprocess.PIPE
        process = await self._run(argv, stdout=pipe, stderr=pipe)
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S):
                said, words = await process.communicate()
        except TimeoutError as error:
            raise slow_login(ASK_TIMEOUT_S, "", self._endpoint, self._engine) from error
        finally:
            await _end(process)
        if process.returncode:
            raise login_failure(words.decode("utf-8", "replace"), self._endpoint, self._engine)
        return dict(read_answer(said.decode("utf-8", "replace")))

    async def _stop(self) -> None:
        process, self._process = self._process, None
        self._listens = False
        if process is not None:
            await _end(process)
        socket = self._folder / "engine.sock" if self._folder is not None else None
        if socket is not None and await asyncio.to_thread(_answers, socket):
            # The user's own master holds the forward: it outlives us there, so it is taken back.
            argv = [self._program, "-O", "cancel", "-L", self._spec(socket), *destination(self._endpoint)]
            quiet = asyncio.subprocess.DEVNULL
            cancel = await self._run(argv, stdout=quiet, stderr=quiet)
            try:
                async with asyncio.timeout(3):
                    await cancel.wait()
            except TimeoutError:
                pass  # the master hangs; the forward ends with it
            finally:
                await _end(cancel)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
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


def _answers(path: Path) -> bool:
    """Whether somebody listens at a unix socket."""
    with sockets.socket(sockets.AF_UNIX) as one:
        one.settimeout(1)
        try:
            one.connect(str(path))
        except OSError:
            return False
    return True


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _STDERR_BYTES))
            return file.read().decode("utf-8", "replace").strip()
    except FileNotFoundError:
        return ""  # closed meanwhile


__all__ = ["SshForward"]
