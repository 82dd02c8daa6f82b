"""A Docker daemon of a test's own beside the shared engines, to be killed and started again without harming others."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

import psutil

from tests.real import RealEngines

UP_DEADLINE_S = 60.0


class PrivateDocker:
    """dockerd in the engines' namespaces, with a store, a socket, a containerd and a network namespace of its own.

    Beside another daemon in one network namespace, either would take the other's docker0 away.
    """

    def __init__(self, engines: RealEngines) -> None:
        self._engines = engines
        # Below /tmp, where the engines see the same path; short, for socket paths end at 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="td-", dir="/tmp"))
        self.url = f"unix://{self.folder}/docker.sock"
        self._log = (self.folder / "log").open("ab")
        self._entered: subprocess.Popen[bytes] | None = None  # nsenter, which ends with its daemon

    def __enter__(self) -> PrivateDocker:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            left = self.cli("ps", "-aq").split()
            if left:
                self.cli("rm", "-f", *left)
        finally:
            for process in self._processes("dockerd", "containerd", "containerd-shim-runc-v2"):
                with contextlib.suppress(psutil.NoSuchProcess):  # containerd follows its daemon by itself
                    process.kill()
            psutil.wait_procs(self._processes("dockerd", "containerd"), timeout=10)
            if self._entered is not None:
                self._entered.wait(timeout=10)
            self._log.close()
            shutil.rmtree(self.folder, ignore_errors=True)  # the daemon's own mounts may linger in its namespace

    def _processes(self, *names: str) -> list[psutil.Process]:
        """Those of this daemon, known by its folder in their command line."""
        return [
            process
            for process in psutil.process_iter(["name", "cmdline"])
            if process.info["name"] in {name[:15] for name in names} | set(names)
            and str(self.folder) in " ".join(process.info["cmdline"] or [])
        ]

    def start(self) -> None:
        """Start the daemon and wait until it answers. Containers that run outlive it (live-restore)."""
        argv = [
            # A network namespace of its own: with --bridge=none a daemon removes docker0, the shared engine's bridge.
            str(self._engines.bin / "engines-exec"), "unshare", "--net", "dockerd", "-H", self.url,
            "--data-root", f"{self.folder}/data", "--exec-root", f"{self.folder}/exec", "-p", f"{self.folder}/pid",
            "--bridge=none", "--iptables=false", "--ip6tables=false", "--live-restore",
        ]  # fmt: skip
        if self._entered is not None:
            self._entered.wait(timeout=10)
        self._entered = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, start_new_session=True
        )
        end = time.monotonic() + UP_DEADLINE_S
        while not self._answers():
            if time.monotonic() > end:
                raise RuntimeError(f"no answer from {self.url}: {(self.folder / 'log').read_text()[-800:]}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            self.cli("version")
        except subprocess.CalledProcessError:
            return False
        return True

    def kill(self) -> None:
        """End the daemon as a crash would (SIGKILL); its socket file stays, nobody listens."""
        for process in self._processes("dockerd"):
            process.send_signal(signal.SIGKILL)
            process.wait(timeout=10)

    def cli(self, *argv: str, stdin: bytes | None = None) -> str:
        """The engines' own docker CLI on this daemon; returns stdout."""
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
