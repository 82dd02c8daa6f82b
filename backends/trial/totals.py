"""What one container has taken since it started, from its cgroup: totals, not rates. Blocks on small files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from backends.cgroups.find import UNIFIED, Finder, descendants
from backends.cgroups.parse import Transfer, blkio_bytes, first_pid, io_stat, keyed, net_dev, number, working_set_bytes
from backends.cgroups.processes import field_of, monitored_by
from backends.model.values import Missing, Quantity

NO_CGROUP = Missing("it has no cgroup of its own on this machine")


@dataclass(frozen=True, slots=True)
class Totals:
    """memory_bytes: working set now. Others: since the start. Network: of its own interfaces."""

    memory_bytes: Quantity
    cpu_s: Quantity
    disk: Transfer | Missing
    network: Transfer | Missing


class Places:
    """Where a container's cgroup is, found once. root, proc: other trees for tests."""

    def __init__(self, container: str, root: Path = Path("/sys/fs/cgroup"), proc: Path = Path("/proc")) -> None:
        self._container = container
        self._places: Mapping[str, Path] = Finder(root).find([container]).get(container, {})
        self._proc = proc

    def first_pid(self) -> int | None:
        """A process of it, as this machine numbers it; None where there is none."""
        for place in self._places.values():
            for directory in descendants(place):
                try:
                    pid = first_pid((directory / "cgroup.procs").read_bytes())
                except OSError:
                    continue  # it went meanwhile, or is not ours to read: another may tell
                if pid is not None:
                    return pid
        return monitored(self._container, self._proc)

    def read(self) -> Totals:
        """All that can be read now."""
        if not self._places:
            return Totals(NO_CGROUP, NO_CGROUP, NO_CGROUP, self._network())
        return Totals(self._memory(), self._cpu(), self._disk(), self._network())

    def _memory(self) -> Quantity:
        used = self._text("memory", "memory.usage_in_bytes", "memory.current")
        stat = self._text("memory", "memory.stat", "memory.stat")
        if isinstance(used, Missing) or isinstance(stat, Missing):
            return used if isinstance(used, Missing) else NO_CGROUP
        count = number(used)
        found = None if count is None else working_set_bytes(count, stat)
        return Missing("its cgroup does not tell its memory") if found is None else float(found)

    def _cpu(self) -> Quantity:
        text = self._text("cpuacct", "cpuacct.usage", "cpu.stat")
        if isinstance(text, Missing):
            return text
        used_us = keyed(text, b"usage_usec")
        if used_us is not None:
            return used_us / 1e6
        used_ns = number(text)
        return Missing("its cgroup does not tell its CPU time") if used_ns is None else used_ns / 1e9

    def _disk(self) -> Transfer | Missing:
        text = self._text("blkio", "blkio.throttle.io_service_bytes", "io.stat")
        if isinstance(text, Missing):
            return text
        return io_stat(text) if b"=" in text else blkio_bytes(text)

    def _network(self) -> Transfer | Missing:
        pid = self.first_pid()
        if pid is None:
            return Missing("no process of it is seen")
        try:
            found = net_dev((self._proc / str(pid) / "net" / "dev").read_bytes())
        except OSError as error:
            return Missing(f"/proc/{pid}/net/dev: {error.strerror}")
        return Missing("its interfaces are not told") if found is None else found

    def _text(self, controller: str, v1: str, v2: str) -> bytes | Missing:
        for name, file in ((controller, v1), (UNIFIED, v2)):
            if name in self._places:
                try:
                    return (self._places[name] / file).read_bytes()
                except FileNotFoundError:
                    continue
                except OSError as error:
                    return Missing(f"{file}: {error.strerror}")
        return Missing(f"no {controller} cgroup")


def monitored(container: str, proc: Path) -> int | None:
    """The first process of a container that has no cgroup (rootless Podman on cgroup v1): its monitor's child."""
    parents: dict[int, list[int]] = {}
    monitors: list[int] = []
    for pid in [int(name) for name in os.listdir(proc) if name.isdigit()]:
        try:
            status = (proc / str(pid) / "status").read_bytes()
            if field_of(status, b"Name") == b"conmon":
                words = (proc / str(pid) / "cmdline").read_bytes()
                if monitored_by(words) == (container,) and b"--exec-attach" not in words.split(b"\0"):
                    monitors.append(pid)
        except OSError:
            continue  # it ended meanwhile
        parents.setdefault(number(field_of(status, b"PPid")) or 0, []).append(pid)
    return next((pid for monitor in monitors for pid in parents.get(monitor, ())), None)


__all__ = ["NO_CGROUP", "Places", "Totals"]
