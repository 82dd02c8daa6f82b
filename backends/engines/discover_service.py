"""Serves a Podman that is installed but listens nowhere: `podman system service` on a private socket, ended on exit.

It is started with an idle limit, not with `-t 0`: our event stream keeps it busy while Tranship lives, and when
Tranship is killed the service goes by itself a minute later. PR_SET_PDEATHSIG would not do: it dies with the thread
that started the service, and does not pass a wrapper that forks. The supervisor's longest pause between two tries
(15 s) is well below the limit, so a reconnect always comes in time.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from backends.engines.discover import Found
from backends.model.errors import BackendError, Denied, TimedOut, Unreachable
from backends.model.ids import EngineId
from backends.wire.endpoint import Endpoint

IDLE_LIMIT_S = 60
START_TIMEOUT_S = 15.0
PATIENCE_S = 1.0  # other engines wait no longer for one that starts; it takes 0.1 to 0.3 s
_STOP_TIMEOUT_S = 5.0
_PREFIX = "tranship-podman-"
_LOG_LIMIT_BYTES = 4096


class PodmanService:
    """A service of ours: `up` starts it, also again where it ended; `stop` ends it for good.

    endpoint: where it will listen. directory: its private place, removed by `stop`.
    """

    def __init__(self, command: Sequence[str], engine: EngineId, directory: Path, environ: Mapping[str, str]) -> None:
        """command: the podman to run, as argv."""
        self.endpoint = Endpoint.parse(str(directory / "podman.sock"))
        self.directory = directory
        self.process: asyncio.subprocess.Process | None = None
        self._command = command
        self._engine = engine
        self._environ = environ
        self._starting: asyncio.Task[None] | None = None

    async def up(self) -> None:
        """Return when it answers. A caller who is cancelled does not end the start: the next one waits on for it.

        Raises Unreachable (it ended) or TimedOut (no answer in START_TIMEOUT_S).
        """
        if self._starting is None or (self._starting.done() and not self._runs()):
            self._starting = asyncio.create_task(self._start(), name=f"service of {self._engine}")
            self._starting.add_done_callback(_seen)
        await asyncio.shield(self._starting)

    async def stop(self) -> None:
        """End it (terminate, then kill) and remove its directory; safe to call twice and when it is gone already."""
        try:
            if self._starting is not None:
                self._starting.cancel()
                await asyncio.wait([self._starting])
            await self._end()
        finally:
            await asyncio.to_thread(shutil.rmtree, self.directory, ignore_errors=True)

    def _runs(self) -> bool:
        return self.process is not None and self.process.returncode is None

    async def _start(self) -> None:
        await asyncio.to_thread(Path(self.endpoint.address).unlink, missing_ok=True)
        self.process = await _spawn(self._command, self.directory, self._environ, self._engine)
        try:
            await _until_it_answers(self.process, self.directory, self.endpoint.address, self._engine)
        except BackendError:
            await self._end()
            raise

    async def _end(self) -> None:
        if self.process is not None:
            await _end(self.process)


def _seen(task: asyncio.Task[None]) -> None:
    """A start that failed while nobody waited is no bug: the next `up` tries again."""
    if not task.cancelled():
        task.exception()


async def _prepared(command: Sequence[str], engine: EngineId, environ: Mapping[str, str]) -> PodmanService:
    try:
        directory = await asyncio.to_thread(_private_directory, environ)
    except OSError as error:
        raise Denied("No private directory for Podman's socket", detail=str(error), engine=engine) from error
    return PodmanService(command, engine, directory, environ)


async def serve_absent(
    found: Sequence[Found], environ: Mapping[str, str], *, patience_s: float = PATIENCE_S
) -> tuple[list[Found], dict[EngineId, PodmanService]]:
    """Start what can be started: the same list with endpoints filled in, and the services to `stop` on exit.

    One that fails at once stays absent, with the reason. One that needs long is there already where others are that
    should not wait for it (patience_s): its connection waits for it (ServedPodman).
    """
    services: dict[EngineId, PodmanService] = {}
    answer: list[Found] = []
    others = any(one.endpoint is not None for one in found)
    try:
        for one in found:
            if one.endpoint is None and one.startable:
                try:
                    service = await _prepared([one.startable], one.id, environ)
                    services[one.id] = service
                    await _wait(service, patience_s if others else None)
                except BackendError as error:
                    await _drop(services, one.id)
                    one = replace(one, absent=f"{one.absent}; {error.title}", hint=error.hint or one.hint)
                else:
                    one = replace(one, endpoint=service.endpoint, absent="", hint="", source="podman")
            answer.append(one)
    except BaseException:
        await asyncio.shield(asyncio.gather(*(service.stop() for service in services.values())))
        raise
    return answer, services


async def _wait(service: PodmanService, patience_s: float | None) -> None:
    """Until it answers, or patience ends: it goes on starting then."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(patience_s):
            await service.up()


async def _drop(services: dict[EngineId, PodmanService], id: EngineId) -> None:
    if id in services:
        await services.pop(id).stop()


async def _spawn(
    command: Sequence[str], directory: Path, environ: Mapping[str, str], engine: EngineId
) -> asyncio.subprocess.Process:
    # With these set, podman would be a client of another service instead of serving.
    clean = {key: value for key, value in environ.items() if key not in {"CONTAINER_HOST", "CONTAINER_CONNECTION"}}
    socket = f"unix://{directory / 'podman.sock'}"
    argv = [*command, "system", "service", "--time", str(IDLE_LIMIT_S), socket]
    log = await asyncio.to_thread((directory / "service.log").open, "wb")
    try:
        return await asyncio.create_subprocess_exec(
            *argv,
            env=clean,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,  # Ctrl-C in our terminal is not for it
        )
    except OSError as error:
        hint = "Check that podman is installed and may be run."
        raise Unreachable(f"{command[0]} cannot be run", detail=str(error), hint=hint, engine=engine) from error
    finally:
        log.close()


async def _until_it_answers(
    process: asyncio.subprocess.Process, directory: Path, socket: str, engine: EngineId
) -> None:
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            while not await _answers(socket):
                if process.returncode is not None:
                    words = await asyncio.to_thread(_last_words, directory)
                    hint = "Try `podman system service` by hand to see why."
                    raise Unreachable("Podman's service ended at once", detail=words, hint=hint, engine=engine)
                await asyncio.sleep(0.05)
    except TimeoutError as error:
        words = await asyncio.to_thread(_last_words, directory)
        raise TimedOut(
            f"Podman's service did not answer within {START_TIMEOUT_S:g} s", detail=words, engine=engine
        ) from error


async def _answers(socket: str) -> bool:
    try:
        reader, writer = await asyncio.open_unix_connection(socket)
    except OSError:
        return False
    try:
        writer.write(b"GET /_ping HTTP/1.0\r\nHost: localhost\r\n\r\n")
        await writer.drain()
        return (await reader.read(12)).startswith(b"HTTP/")
    except OSError:
        return False
    finally:
        writer.close()


def _last_words(directory: Path) -> str:
    try:
        with (directory / "service.log").open("rb") as file:
            return file.read(_LOG_LIMIT_BYTES).decode("utf-8", "replace").strip()
    except OSError:
        return ""


async def _end(process: asyncio.subprocess.Process) -> None:
    """Only what we started, by its id: its containers' monitors are sessions of their own and live on."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_TIMEOUT_S):
                await process.wait()


def _private_directory(environ: Mapping[str, str]) -> Path:
    """A directory of mode 0700 whose name tells our process id; those of dead processes are removed first."""
    base = Path(environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()).absolute()
    for old in base.glob(f"{_PREFIX}*"):
        owner = old.name.removeprefix(_PREFIX).partition("-")[0]
        with contextlib.suppress(FileNotFoundError):  # another Tranship that starts now has just removed it
            if owner.isdigit() and not Path(f"/proc/{owner}").exists() and old.stat().st_uid == os.geteuid():
                shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=base))
