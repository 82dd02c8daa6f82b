"""An SSH server of a test's own on 127.0.0.1, and an `ssh` that knows it as a user's settings would. No test.

Nobody's ~/.ssh is read or written: keys, known hosts and settings lie in one folder, which goes with the server.
"""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

import psutil

from tests.real import host_port, required

UP_DEADLINE_S = 30.0
HOST = "gpu01"
"""What the server is called in the settings; the other hosts there are it too, each with something amiss."""

_SETTINGS = """
Host gpu01 shared stranger nokey noforward dead
  HostName 127.0.0.1
  Port {port}
  User root
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known
  StrictHostKeyChecking yes
Host gpu01 shared stranger noforward dead
  IdentityFile {folder}/key
Host shared
  ControlMaster auto
  ControlPath {folder}/master
"""
_AMISS = """
Host stranger
  HostKeyAlias nobody
Host nokey
  IdentityFile {folder}/host
Host noforward
  Port {second}
Host dead
  Port 9
"""
_SERVER = """
ListenAddress 127.0.0.1:{port}
ListenAddress 127.0.0.1:{second}
HostKey {folder}/host
AuthorizedKeysFile {folder}/key.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
Match LocalPort {second}
  AllowStreamLocalForwarding no
"""


def why_not() -> str:
    """Why there can be no server here, "" where there can; in CI it is required."""
    if shutil.which("sshd", path="/usr/sbin:/usr/bin") and shutil.which("ssh"):
        return ""
    assert not required(), "openssh-server and openssh-client are not installed"
    return "openssh-server and openssh-client are not installed"


class PrivateSshd:
    """The server. bin: a folder for the front of PATH whose `ssh` uses the settings."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ts-", dir="/tmp"))  # short: socket paths end at 107 bytes
        self.bin = self.folder / "bin"
        self._server: subprocess.Popen[bytes] | None = None
        self._port = 0

    def __enter__(self) -> PrivateSshd:
        folder = self.folder
        for name in ("key", "host"):
            argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(argv, check=True, capture_output=True, timeout=30)
        self._port, second = host_port(), host_port()
        values = {"folder": folder, "port": self._port, "second": second}
        # The first value that ssh reads counts: what is amiss stands before what is right.
        (folder / "config").write_text((_AMISS + _SETTINGS).format(**values))
        (folder / "sshd_config").write_text(_SERVER.format(**values))
        public = " ".join((folder / "host.pub").read_text().split()[:2])
        (folder / "known").write_text("".join(f"[127.0.0.1]:{port} {public}\n" for port in (self._port, second)))
        self.bin.mkdir()
        program = self.bin / "ssh"
        program.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/config "$@"\n')
        program.chmod(0o755)
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd wants it as root, and the package's service makes it
        self.start()
        return self

    def start(self) -> None:
        """Start it, and wait until it listens."""
        sshd = shutil.which("sshd", path="/usr/sbin:/usr/bin")
        argv = [str(sshd), "-D", "-f", f"{self.folder}/sshd_config", "-E", f"{self.folder}/log"]
        self._server = subprocess.Popen(argv, stdin=subprocess.DEVNULL, start_new_session=True)
        end = time.monotonic() + UP_DEADLINE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
            except OSError:
                if time.monotonic() > end:
                    raise RuntimeError(f"no sshd: {(self.folder / 'log').read_text()[-800:]}") from None
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """End it and every connection through it, as a machine does that goes away."""
        assert self._server is not None
        main = psutil.Process(self._server.pid)
        family = [*main.children(recursive=True), main]
        for process in family:
            try:
                process.send_signal(signal.SIGKILL)
            except psutil.NoSuchProcess:
                continue  # it went with its parent
        self._server.wait(timeout=10)
        psutil.wait_procs(family, timeout=10)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder)
