"""An engine's service of a test's own, beside the shared ones, to be killed, frozen and started again."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Protocol

import psutil

from backends.engine import Engine
from backends.engines.demo import DemoEngine
from tests.real import RealEngines

_DAEMONS = frozenset({"dockerd", "podman"})


class Service(Protocol):
    """A service and its adapter."""

    @property
    def engine(self) -> Engine:
        """Who speaks to it."""

    async def start(self) -> None:
        """Start it; returns before it answers."""

    async def kill(self) -> None:
        """End it as a crash would."""

    async def freeze(self) -> None:
        """Stop all its threads: its socket accepts, nobody answers."""

    async def thaw(self) -> None:
        """Let it go on."""

    async def close(self) -> None:
        """End it for good and remove what it wrote."""


class DemoService:
    """The demo engine, which only plays dead."""

    def __init__(self, engine: DemoEngine) -> None:
        self._engine = engine

    @property
    def engine(self) -> Engine:
        """See Service; so for all that follows."""
        return self._engine

    async def start(self) -> None:
        self._engine.come_back()

    async def kill(self) -> None:
        self._engine.go_down()

    async def freeze(self) -> None:
        self._engine.faults.hang()

    async def thaw(self) -> None:
        self._engine.come_back()

    async def close(self) -> None:
        await asyncio.sleep(0)


class PrivateService:
    """A real service. Podman's uses the shared store, Docker's a store of its own."""

    def __init__(self, kind: str, real: RealEngines, folder: Path, engine: Engine) -> None:
        self._kind = kind
        self._real = real
        self._folder = folder
        self._engine = engine
        self._entered: subprocess.Popen[bytes] | None = None

    @staticmethod
    def folder(kind: str, real: RealEngines) -> Path:
        """A new folder that the engines see too, and whose owner is the service's user."""
        made = Path(tempfile.mkdtemp(prefix="tc-", dir="/tmp"))
        if kind == "podman-rootless":
            owner = Path(real.rootless.removeprefix("unix://")).stat()
            os.chown(made, owner.st_uid, owner.st_gid)
        return made

    @staticmethod
    def url(folder: Path) -> str:
        """Where a service in this folder listens."""
        return f"unix://{folder}/s.sock"

    @property
    def engine(self) -> Engine:
        """See Service; so for all that follows."""
        return self._engine

    def _argv(self) -> list[str]:
        folder, url = self._folder, self.url(self._folder)
        if self._kind != "docker":
            return [str(self._real.bin / self._kind), "system", "service", "-t", "0", url]
        places = ["--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec", "-p", f"{folder}/pid"]
        quiet = ["--bridge=none", "--iptables=false", "--ip6tables=false"]
        # A network namespace of its own: with --bridge=none a daemon removes docker0, the shared engine's bridge.
        return [str(self._real.bin / "engines-exec"), "unshare", "--net", "dockerd", "-H", url, *places, *quiet]

    async def start(self) -> None:
        (self._folder / "s.sock").unlink(missing_ok=True)
        await asyncio.to_thread(self._start)

    def _start(self) -> None:
        log = self._folder / "log"
        with log.open("ab") as out:
            self._entered = subprocess.Popen(
                self._argv(), stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )

    async def kill(self) -> None:
        await asyncio.to_thread(self._end, _DAEMONS)

    async def freeze(self) -> None:
        await asyncio.to_thread(self._signal, signal.SIGSTOP)

    async def thaw(self) -> None:
        await asyncio.to_thread(self._signal, signal.SIGCONT)
        if self._entered is not None:  # nsenter stops itself with its child
            self._entered.send_signal(signal.SIGCONT)

    async def close(self) -> None:
        await asyncio.to_thread(self._end, _DAEMONS | {"containerd"})
        shutil.rmtree(self._folder, ignore_errors=True)  # mounts of the service's own namespace may linger

    def _processes(self, names: frozenset[str]) -> list[psutil.Process]:
        """Those of this service only: its folder is in their command line."""
        return [
            process
            for process in psutil.process_iter(["name", "cmdline"])
            if process.info["name"] in names and str(self._folder) in " ".join(process.info["cmdline"] or [])
        ]

    def _signal(self, number: signal.Signals) -> None:
        for process in self._processes(_DAEMONS):
            process.send_signal(number)

    def _end(self, names: frozenset[str]) -> None:
        processes = self._processes(names)
        for process in processes:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue  # it went with its parent
        psutil.wait_procs(processes, timeout=10)
        if self._entered is not None:
            self._entered.wait(timeout=10)
            self._entered = None
