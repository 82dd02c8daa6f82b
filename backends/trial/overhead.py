"""What an engine's own processes take, from /proc: monitors of one container, and what all containers share.

Memory is what is anonymous or shared memory in a process (RssAnon and RssShmem of /proc/PID/status): the program's own
file, which all of them share, is not counted. May not know what an engine's API says. Blocks on small files.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from backends.cgroups.parse import number
from backends.cgroups.processes import field_of
from backends.model.values import Missing, Quantity

_TICKS = os.sysconf("SC_CLK_TCK")
_BY_ID = (b"conmon", b"containerd-shim")
_BY_TIME = (b"docker-proxy", b"rootlessport", b"pasta", b"slirp4netns", b"exe")
"""Helpers of the network: their arguments name no container, so those that began with it are taken to be its own. "exe"
is how rootlessport calls itself where it is run from /proc/self/exe."""
_DAEMONS = (b"dockerd", b"podman")
_CHILDREN = (b"containerd",)
_CREDENTIALS = struct.Struct("3i")


@dataclass(frozen=True, slots=True)
class Taken:
    """memory_bytes: now. cpu_s: since each began, with the children that it has waited for. count: of processes."""

    memory_bytes: Quantity
    cpu_s: Quantity
    count: int = 0


class EngineProcesses:
    """The processes of an engine of this machine. socket_path: its unix socket. proc: another tree for tests."""

    def __init__(self, socket_path: str, proc: Path = Path("/proc")) -> None:
        self._proc = proc
        self._daemon = _listener(socket_path)

    def now_ticks(self) -> int:
        """Clock ticks since boot, as the kernel counts when a process began."""
        return int(float((self._proc / "uptime").read_text().split()[0]) * _TICKS)

    def shared(self) -> Taken | Missing:
        """The daemon, and containerd where it is Docker's."""
        if isinstance(self._daemon, Missing):
            return self._daemon
        name = self._program(self._daemon)
        if name not in _DAEMONS:
            return Missing("the engine's own process is not seen (its socket is another program's)")
        pids = {self._daemon}
        parent = self._parent(self._daemon)
        while parent and self._program(parent) == name:
            pids.add(parent)
            parent = self._parent(parent)
        if name == b"dockerd":
            found = [pid for pid in self._pids() if self._name(pid) in _CHILDREN]
            pids |= {pid for pid in found if self._parent(pid) == self._daemon} or set(found)
        return self._sum(pids)

    def monitors(self, container: str, since_ticks: int) -> Taken:
        """Those of one container, by its id in their arguments, or by having begun since then."""
        own = {pid for pid in self._pids() if self._is_own(pid, container.encode(), since_ticks)}
        return self._sum(own)

    # -- /proc -----------------------------------------------------------------------------------
    def _is_own(self, pid: int, container: bytes, since_ticks: int) -> bool:
        name = self._name(pid)
        if name.startswith(_BY_ID):
            return container in self._file(pid, "cmdline").split(b"\0")
        if not name.startswith(_BY_TIME) or (name == b"exe" and b"rootlessport" not in self._file(pid, "cmdline")):
            return False
        fields = self._stat(pid)
        return len(fields) > 19 and int(fields[19]) >= since_ticks - 1

    def _sum(self, pids: Iterable[int]) -> Taken:
        memory, cpu, count = 0, 0.0, 0
        for pid in pids:
            status, fields = self._file(pid, "status"), self._stat(pid)
            if not status or len(fields) < 20:
                continue  # it ended meanwhile
            for key in (b"RssAnon", b"RssShmem"):
                memory += (number(field_of(status, key).removesuffix(b"kB")) or 0) * 1024
            cpu += sum(int(fields[at]) for at in (11, 12, 13, 14)) / _TICKS  # utime, stime, and of waited-for children
            count += 1
        return Taken(float(memory), cpu, count)

    def _pids(self) -> Iterator[int]:
        return (int(name) for name in os.listdir(self._proc) if name.isdigit())

    def _program(self, pid: int) -> bytes:
        """By its arguments: rootless Podman runs itself again, and is named "exe" then."""
        return self._file(pid, "cmdline").partition(b"\0")[0].rpartition(b"/")[2]

    def _name(self, pid: int) -> bytes:
        return self._file(pid, "comm").strip()

    def _parent(self, pid: int) -> int:
        return number(field_of(self._file(pid, "status"), b"PPid")) or 0

    def _stat(self, pid: int) -> list[bytes]:
        """The fields of /proc/PID/stat after the name: state, ppid, … (proc(5) numbers them from 3)."""
        return self._file(pid, "stat").rpartition(b")")[2].split()

    def _file(self, pid: int, name: str) -> bytes:
        try:
            return (self._proc / str(pid) / name).read_bytes()
        except OSError:
            return b""  # it ended meanwhile


def _listener(socket_path: str) -> int | Missing:
    """The process that listens on a unix socket, as the kernel tells who connects (SO_PEERCRED: unix(7))."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(2)
        try:
            link.connect(socket_path)
            told = link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        except OSError as error:
            return Missing(f"who serves {socket_path} is not told: {error.strerror or error}")
    pid: int = _CREDENTIALS.unpack(told)[0]
    return pid or Missing("the engine runs where its processes are not seen")


__all__ = ["EngineProcesses", "Taken"]
