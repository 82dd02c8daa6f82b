"""An engine's service of a test's own, beside the shared ones, to be killed, frozen and started again. No test."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import psutil

from tests.real import RealEngines

UP_DEADLINE_S = 60.0
_SERVICES = frozenset({"dockerd", "podman"})
_ALL = _SERVICES | {"containerd", "containerd-shim", "containerd-shim-runc-v2"}  # a process name may be cut at 15 bytes


class PrivateEngine:
    """kind: "docker", "podman" or "podman-rootless". Podman's uses the shared store, Docker's a store of its own.

    Docker's has a network namespace of its own too: beside another daemon in one, either would take the other's
    docker0 away. Its containers outlive it (live-restore). config: Docker's daemon.json.
    """

    def __init__(self, kind: str, engines: RealEngines, *, config: Mapping[str, object] | None = None) -> None:
        self._kind = kind
        self._config = config or {}
        self._engines = engines
        # Below /tmp, where the engines see the same path; short, for socket paths end at 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="tp-", dir="/tmp"))
        if kind == "podman-rootless":
            owner = Path(engines.rootless.removeprefix("unix://")).stat()
            os.chown(self.folder, owner.st_uid, owner.st_gid)
        self.url = f"unix://{self.folder}/s.sock"
        self._entered: subprocess.Popen[bytes] | None = None  # nsenter, which ends with its service

    def __enter__(self) -> PrivateEngine:
        self.start()
        self.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._kind == "docker" and (left := self.cli("ps", "-aq").split()):
                self.cli("rm", "-f", *left)
        finally:
            self.close()

    def _argv(self) -> list[str]:
        if self._kind != "docker":
            return [str(self._engines.bin / self._kind), "system", "service", "-t", "0", self.url]
        return [
            str(self._engines.bin / "engines-exec"), "unshare", "--net",
            "sh", "-c", 'ip link set lo up; exec "$@"', "sh", "dockerd", "-H", self.url,
            "--data-root", f"{self.folder}/data", "--exec-root", f"{self.folder}/exec", "-p", f"{self.folder}/pid",
            "--bridge=none", "--iptables=false", "--ip6tables=false", "--live-restore",
            "--config-file", f"{self.folder}/daemon.json",
        ]  # fmt: skip

    def start(self) -> None:
        """Start it; returns before it answers."""
        if self._entered is not None:
            self._entered.wait(timeout=10)
        (self.folder / "s.sock").unlink(missing_ok=True)
        (self.folder / "daemon.json").write_text(json.dumps(self._config))
        with (self.folder / "log").open("ab") as log:
            self._entered = subprocess.Popen(
                self._argv(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def wait(self) -> None:
        """Wait until Docker's answers its own CLI."""
        end = time.monotonic() + UP_DEADLINE_S
        while True:
            try:
                self.cli("version")
            except subprocess.CalledProcessError:
                if time.monotonic() > end:
                    raise RuntimeError(
                        f"no answer from {self.url}: {(self.folder / 'log').read_text()[-800:]}"
                    ) from None
                time.sleep(0.1)
            else:
                return

    def kill(self) -> None:
        """End the service as a crash would (SIGKILL); its socket file stays, nobody listens."""
        self._end(_SERVICES)

    def freeze(self) -> None:
        """Stop all its threads: its socket accepts, nobody answers."""
        for process in self._processes(_SERVICES):
            process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        for process in self._processes(_SERVICES):
            process.send_signal(signal.SIGCONT)
        if self._entered is not None:  # nsenter stops itself with its child
            self._entered.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End it for good and remove what it wrote."""
        self._end(_ALL)
        shutil.rmtree(self.folder, ignore_errors=True)  # mounts of the service's own namespace may linger

    def cli(self, *argv: str, stdin: bytes | None = None) -> str:
        """The engines' own docker CLI on this Docker; returns stdout."""
        environ = {k: v for k, v in os.environ.items() if not k.startswith(("DOCKER_", "CONTAINER_"))}
        environ["DOCKER_HOST"] = self.url
        done = subprocess.run(
            [str(self._engines.bin / "docker"), *argv],
            env=environ, input=stdin, capture_output=True, check=True, timeout=120,
        )  # fmt: skip
        return done.stdout.decode(errors="replace")

    def take_image(self, reference: str) -> None:
        """Copy an image from the shared Docker engine."""
        docker = str(self._engines.bin / "docker")
        archive = subprocess.run(
            [docker, "-H", self._engines.docker, "save", reference], capture_output=True, check=True, timeout=120
        ).stdout
        self.cli("load", stdin=archive)

    @property
    def pid(self) -> int:
        """Of the service itself, whose namespaces are the engine's."""
        return self._processes(_SERVICES)[0].pid

    def _processes(self, names: frozenset[str]) -> list[psutil.Process]:
        """Those of this service only: its folder is in their command line."""
        return [
            process
            for process in psutil.process_iter(["name", "cmdline"])
            if process.info["name"] in names and str(self.folder) in " ".join(process.info["cmdline"] or [])
        ]

    def _end(self, names: frozenset[str]) -> None:
        processes = self._processes(names)
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):  # it went with its parent
                process.kill()
        psutil.wait_procs(processes, timeout=10)
        if self._entered is not None:
            self._entered.wait(timeout=10)
            self._entered = None
