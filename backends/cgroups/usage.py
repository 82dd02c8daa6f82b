"""What one container takes: its kept files, the totals of the last look, and the reading from both.

May not look for containers. A value that cannot be read is Missing with the reason, never 0.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from operator import attrgetter
from pathlib import Path

from backends.cgroups.files import TOO_MANY, Budget, KeptFile
from backends.cgroups.find import UNIFIED, descendants
from backends.cgroups.parse import (
    Transfer,
    blkio_bytes,
    first_pid,
    io_stat,
    keyed,
    limit_bytes,
    net_dev,
    number,
    working_set_bytes,
)
from backends.model.container import StatsReading
from backends.model.ids import ContainerKey
from backends.model.values import Count, Missing, Quantity

FIRST_SAMPLE = Missing("first sample")
NO_PROCESS = Missing("no process")
# Reads between two looks at the network namespace; the second read looks too.
_NETWORK_CHECK_READS = 10
# Reads in a row at most in which one that had no CPU time is taken to have done nothing with memory and disk either.
_RESTING_READS = 4
HOST_NETWORK = Missing("uses the machine's own network")
# Files by what they tell: (v1 controller, v1 file names in order of choice, v2 file name).
_SOURCES: Mapping[str, tuple[str, tuple[str, ...], str]] = {
    "cpu": ("cpuacct", ("cpuacct.usage",), "cpu.stat"),
    "memory": ("memory", ("memory.usage_in_bytes",), "memory.current"),
    "memory_stat": ("memory", ("memory.stat",), "memory.stat"),
    "memory_limit": ("memory", ("memory.limit_in_bytes",), "memory.max"),
    "block": ("blkio", ("blkio.throttle.io_service_bytes_recursive", "blkio.throttle.io_service_bytes"), "io.stat"),
    "pids": ("pids", ("pids.current",), "pids.current"),
}


# All of a reading but its moment.
_VALUES = attrgetter(
    "cpu_percent",
    "memory_bytes",
    "memory_limit_bytes",
    "net_rx_bytes_per_s",
    "net_tx_bytes_per_s",
    "block_read_bytes_per_s",
    "block_write_bytes_per_s",
    "processes",
)


class CgroupGone(Exception):
    """The directories that were found are not there any more: the container stopped, or was started again."""


class Usage:
    """Readings of one container, from the directories found for it."""

    def __init__(
        self,
        key: ContainerKey,
        places: Mapping[str, Path],
        *,
        budget: Budget,
        proc_root: Path,
        host_memory_bytes: Count,
    ) -> None:
        """places: its directory in each hierarchy. host_memory_bytes: shown as the limit where there is none."""
        self.key = key
        self._places = dict(places)
        self._budget = budget
        self._proc_root = proc_root
        self._host_memory = host_memory_bytes
        self._files: dict[str, KeptFile] = {}
        self._unified: set[str] = set()
        self._why_not: dict[str, Missing] = {}
        self._cpu_before: tuple[float, int] | None = None
        self._block_before: tuple[float, Transfer] | None = None
        self._net_before: tuple[float, Transfer] | None = None
        self._net_namespace: tuple[int, int] | None = None
        self._reads = 0
        self._last: StatsReading | None = None
        self._counters: tuple[bytes | Missing, bytes | Missing] | None = None  # CPU and network, as they were read last
        self._quiet = False  # the last reading told that nothing went on
        self._rested = 0
        for name in _SOURCES:
            self._open(name)

    def close(self) -> None:
        """Give every descriptor back."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def read(self) -> StatsReading:
        """The reading since the last call; the very same object as then where nothing has changed.

        Raises CgroupGone where the container's cgroup was removed. Of one that had no CPU time since then, only its
        network is read (packets come without it); the rest is as it was, and looked at again every few seconds: the
        kernel may take memory back, or write later.
        """
        if not self._files:
            raise CgroupGone(str(self.key.id))  # removed between being found and being opened
        counters = (self._text("cpu"), self._text("net"))
        now, last = time.monotonic(), self._last
        if last is not None and self._quiet and counters == self._counters and self._rested < _RESTING_READS:
            self._rested += 1
            self._still(now)
            return last
        if self._follow_network():
            counters = (counters[0], self._text("net"))
        self._counters = counters
        cpu = self._cpu_percent(now, counters[0])
        received, sent = self._network(now, counters[1])
        if cpu == 0.0 and last is not None and self._rested < _RESTING_READS:
            self._rested += 1
            memory, limit, processes = last.memory_bytes, last.memory_limit_bytes, last.processes
            block_read, block_written = _at_rest(last.block_read_bytes_per_s), _at_rest(last.block_write_bytes_per_s)
        else:
            self._rested = 0
            block_read, block_written = self._block(now)
            memory, limit, processes = self._memory(), self._memory_limit(), self._number_of("pids")
        reading = StatsReading(
            key=self.key,
            sampled_at=now,
            cpu_percent=cpu,
            memory_bytes=memory,
            memory_limit_bytes=limit,
            net_rx_bytes_per_s=received,
            net_tx_bytes_per_s=sent,
            block_read_bytes_per_s=block_read,
            block_write_bytes_per_s=block_written,
            processes=processes,
        )
        self._quiet = not any(map(_going_on, (cpu, received, sent, block_read, block_written)))
        if last is None or _VALUES(reading) != _VALUES(last):
            self._last = last = reading
        return last

    def _still(self, now: float) -> None:
        """The counters are as they were: what comes next is counted from now on."""
        if self._cpu_before is not None:
            self._cpu_before = (now, self._cpu_before[1])
        if self._net_before is not None:
            self._net_before = (now, self._net_before[1])

    # -- values ----------------------------------------------------------------------------------
    def _cpu_percent(self, now: float, text: bytes | Missing) -> Quantity:
        if isinstance(text, Missing):
            return text
        used = keyed(text, b"usage_usec") if "cpu" in self._unified else number(text)
        if used is None:
            return Missing("CPU usage is not in its cgroup file")
        used_ns = used * 1000 if "cpu" in self._unified else used
        before, self._cpu_before = self._cpu_before, (now, used_ns)
        if before is None or now <= before[0]:
            return FIRST_SAMPLE
        return max(0.0, (used_ns - before[1]) / (now - before[0]) / 1e9 * 100.0)

    def _memory(self) -> Count:
        used, stat = self._number_of("memory"), self._text("memory_stat")
        if isinstance(used, Missing):
            return used
        if isinstance(stat, Missing):
            return stat
        working_set = working_set_bytes(used, stat)
        return Missing("memory.stat does not tell the file cache") if working_set is None else working_set

    def _memory_limit(self) -> Count:
        text = self._text("memory_limit")
        if isinstance(text, Missing):
            return text
        limit = limit_bytes(text)
        if limit is None:
            return Missing("its memory limit is not in its cgroup file")
        return self._host_memory if limit < 0 else limit

    def _block(self, now: float) -> tuple[Quantity, Quantity]:
        text = self._text("block")
        if isinstance(text, Missing):
            return text, text
        total = io_stat(text) if "block" in self._unified else blkio_bytes(text)
        before, self._block_before = self._block_before, (now, total)
        return _rates(before, now, total)

    def _network(self, now: float, text: bytes | Missing) -> tuple[Quantity, Quantity]:
        if isinstance(text, Missing):
            return text, text
        total = net_dev(text)
        if total is None:
            return (unreadable := Missing("/proc/PID/net/dev lists no interface")), unreadable
        before, self._net_before = self._net_before, (now, total)
        return _rates(before, now, total)

    def _number_of(self, name: str) -> Count:
        text = self._text(name)
        if isinstance(text, Missing):
            return text
        value = number(text)
        return Missing(f"no number in {self._files[name].path.name}") if value is None else value

    # -- files -----------------------------------------------------------------------------------
    def _text(self, name: str) -> bytes | Missing:
        file = self._files.get(name)
        if file is None:
            return self._why_not.get(name, NO_PROCESS)
        try:
            return file.read()
        except PermissionError:
            return Missing(f"may not read {file.path.name}")
        except OSError as error:
            if error.errno in TOO_MANY:
                return Missing("too many open files")
            # ENODEV: the cgroup of a kept descriptor was removed. ENOENT: so was the path.
            raise CgroupGone(str(file.path)) from error

    def _open(self, name: str) -> None:
        controller, v1_names, v2_name = _SOURCES[name]
        candidates = [self._places[controller] / v1 for v1 in v1_names] if controller in self._places else []
        if UNIFIED in self._places:
            candidates.append(self._places[UNIFIED] / v2_name)
        self._why_not[name] = Missing(f"no {controller} cgroup")
        for path in candidates:
            try:
                self._files[name] = KeptFile(path, self._budget)
            except FileNotFoundError:
                continue
            except OSError as error:
                self._why_not[name] = Missing(f"{path.name}: {error.strerror}")
                continue
            if path.parent == self._places.get(UNIFIED):
                self._unified.add(name)
            return

    def _follow_network(self) -> bool:
        """Open the network's counters where they are not; now and then look whether they are still the right ones.

        Returns whether they are others now.

        A runtime puts the first process into the cgroup before its network namespace is made: who looks in that
        moment sees the machine's own interfaces.
        """
        known = "net" in self._files or self._why_not.get("net") == HOST_NETWORK
        self._reads += 1
        if known and self._reads != 2 and self._reads % _NETWORK_CHECK_READS:
            return False
        pid = self._host_pid()
        if pid is None:
            self._why_not.setdefault("net", NO_PROCESS)
            return False
        namespace = self._namespace(str(pid))
        if known and (namespace is None or namespace == self._net_namespace):
            return False
        self._open_network(pid, namespace)
        return True

    def _open_network(self, pid: int, namespace: tuple[int, int] | None) -> None:
        """By a pid of its cgroup.procs: the engine's State.Pid may be of another pid namespace."""
        if file := self._files.pop("net", None):
            file.close()
        self._net_before = None
        self._net_namespace = namespace
        if namespace is not None and namespace == self._namespace("self"):
            self._why_not["net"] = HOST_NETWORK
            return
        try:
            self._files["net"] = KeptFile(self._proc_root / str(pid) / "net" / "dev", self._budget)
        except OSError as error:
            self._why_not["net"] = Missing(f"/proc/{pid}/net/dev: {error.strerror}")

    def _namespace(self, process: str) -> tuple[int, int] | None:
        """Which network namespace a process is in; None where we may not look (its counters we still may read)."""
        try:
            found = (self._proc_root / process / "ns" / "net").stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _host_pid(self) -> int | None:
        """A process of it, nested cgroups (systemd inside, podman's split mode) included."""
        for place in list(self._places.values())[:1] + list(self._places.values())[-1:]:
            for directory in descendants(place):
                try:
                    pid = first_pid((directory / "cgroup.procs").read_bytes())
                except OSError:
                    continue  # removed meanwhile: another directory may still answer
                if pid is not None:
                    return pid
        return None


def _at_rest(rate: Quantity) -> Quantity:
    """The rate of one that did nothing; one that cannot be read stays so. The first is known after the second read."""
    return rate if isinstance(rate, Missing) and rate != FIRST_SAMPLE else 0.0


def _going_on(rate: Quantity) -> bool:
    """Whether the next reading of an idle container has another rate: it did something, or is not known yet."""
    return rate == FIRST_SAMPLE if isinstance(rate, Missing) else rate > 0


def _rates(before: tuple[float, Transfer] | None, now: float, total: Transfer) -> tuple[Quantity, Quantity]:
    """Bytes per second since before; counters that went back (an interface was removed) count as nothing."""
    if before is None or now <= before[0]:
        return FIRST_SAMPLE, FIRST_SAMPLE
    seconds = now - before[0]
    return (
        max(0, total.incoming - before[1].incoming) / seconds,
        max(0, total.outgoing - before[1].outgoing) / seconds,
    )
