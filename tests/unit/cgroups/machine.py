"""Trees on disk that look like /sys/fs/cgroup and /proc."""

from __future__ import annotations

import shutil
from pathlib import Path

NET_DEV = """Inter-|   Receive                                        |  Transmit
 face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier compressed
    lo: 99999      10    0    0    0     0          0         0  99999      10    0    0    0     0       0          0
  eth0: {rx}       10    0    0    0     0          0         0   {tx}      10    0    0    0     0       0          0
"""


class Machine:
    """A machine's cgroup and proc trees. layout: "v1", "v2" or "hybrid"."""

    def __init__(self, base: Path, layout: str) -> None:
        self.layout = layout
        self.cgroup = base / "cgroup"
        self.proc = base / "proc"
        self.cgroup.mkdir()
        self.proc.mkdir()
        (self.proc / "meminfo").write_text("MemTotal:       16000000 kB\nMemFree:        8000000 kB\n")
        if layout in {"v1", "hybrid"}:
            (self.cgroup / "cpu,cpuacct").mkdir()
            for link in ("cpu", "cpuacct"):
                (self.cgroup / link).symlink_to("cpu,cpuacct")
            for controller in ("memory", "blkio", "pids", "systemd"):
                (self.cgroup / controller).mkdir()
        if layout == "hybrid":
            (self.cgroup / "unified").mkdir()
            (self.cgroup / "unified" / "cgroup.controllers").write_text("")
        if layout == "v2":
            (self.cgroup / "cgroup.controllers").write_text("cpu io memory pids")

    def write(
        self,
        path: str,
        *,
        pid: int,
        cpu_ns: int = 0,
        memory: int = 5_000_000,
        inactive: int = 1_000_000,
        limit: int | None = None,
        read: int = 0,
        written: int = 0,
        rx: int = 0,
        tx: int = 0,
    ) -> None:
        """Create the container at a path, or write its next values."""
        files = self._v2_files(cpu_ns, memory, inactive, limit, read, written)
        if self.layout != "v2":
            files = self._v1_files(cpu_ns, memory, inactive, limit, read, written)
        for name, text in files.items():
            controller, _, file = name.rpartition("/")
            directory = self.cgroup / controller / path
            directory.mkdir(parents=True, exist_ok=True)
            (directory / file).write_text(text)
            (directory / "cgroup.procs").write_text(f"{pid}\n")
        net = self.proc / str(pid) / "net"
        net.mkdir(parents=True, exist_ok=True)
        (net / "dev").write_text(NET_DEV.format(rx=rx, tx=tx))

    def remove(self, path: str) -> None:
        """The container's cgroups are removed, as at its end."""
        for place in (self.cgroup, *self.cgroup.iterdir()):
            if (place / path).is_dir():
                shutil.rmtree(place / path)

    @staticmethod
    def _v1_files(
        cpu_ns: int, memory: int, inactive: int, limit: int | None, read: int, written: int
    ) -> dict[str, str]:
        return {
            "cpuacct/cpuacct.usage": f"{cpu_ns}\n",
            "memory/memory.usage_in_bytes": f"{memory}\n",
            "memory/memory.stat": f"cache 1\ninactive_file 7\ntotal_inactive_file {inactive}\ntotal_unevictable 0\n",
            "memory/memory.limit_in_bytes": f"{limit or 9223372036854771712}\n",
            "blkio/blkio.throttle.io_service_bytes": f"8:0 Read {read}\n8:0 Write {written}\n8:0 Total 1\nTotal 1\n",
            "pids/pids.current": "3\n",
        }

    @staticmethod
    def _v2_files(
        cpu_ns: int, memory: int, inactive: int, limit: int | None, read: int, written: int
    ) -> dict[str, str]:
        return {
            "/cpu.stat": f"usage_usec {cpu_ns // 1000}\nuser_usec 1\nsystem_usec 1\n",
            "/memory.current": f"{memory}\n",
            "/memory.stat": f"anon 1\nfile 2\ninactive_file {inactive}\nactive_file 1\n",
            "/memory.max": f"{limit or 'max'}\n",
            "/io.stat": f"8:0 rbytes={read} wbytes={written} rios=1 wios=1 dbytes=0 dios=0\n",
            "/pids.current": "3\n",
        }
