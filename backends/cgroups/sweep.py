"""Usage of all local containers in one go, from cgroup files. Synchronous: belongs in one thread of its own."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from pathlib import Path

from backends.cgroups.files import Budget
from backends.cgroups.find import Finder
from backends.cgroups.parse import mem_total_bytes
from backends.cgroups.usage import CgroupGone, Usage
from backends.model.container import StatsReading
from backends.model.ids import ContainerKey
from backends.model.values import Count, Missing

NO_CGROUP = Missing("no cgroup found on this machine")

# A container that is nowhere is looked for again after 1, 2, 4 … 30 s, so that it does not cost a walk each second.
_FIRST_RETRY_S = 1.0
_LONGEST_RETRY_S = 30.0


class Sweep:
    """Keeps the files of the containers that it is asked for, and forgets those that it is not asked for again.

    Memory without a limit of its own reads as limited by the machine's memory, as both engines' `stats` show it.
    """

    def __init__(
        self, root: Path = Path("/sys/fs/cgroup"), proc_root: Path = Path("/proc"), budget: Budget | None = None
    ) -> None:
        """root, proc_root: other trees for tests. budget: of descriptors to keep."""
        self._finder = Finder(root)
        self._proc_root = proc_root
        self._budget = budget or Budget()
        self._usages: dict[ContainerKey, Usage] = {}
        self._retry: dict[ContainerKey, tuple[float, float]] = {}
        self._host_memory = _host_memory(proc_root)
        self.unfound: frozenset[ContainerKey] = frozenset()
        """Those asked for last that have no cgroup here."""

    def sweep(self, keys: Collection[ContainerKey]) -> Mapping[ContainerKey, StatsReading]:
        """A reading for each key; rates are Missing("first sample") at the first look at a container."""
        wanted = set(keys)
        for key in self._usages.keys() - wanted:
            self._usages.pop(key).close()
        self._retry = {key: when for key, when in self._retry.items() if key in wanted}
        self._find(wanted - self._usages.keys())
        readings, gone = self._read(wanted & self._usages.keys())
        if gone:  # removed, or started again under the same id: look once more now
            self._find(gone)
            again, still_gone = self._read(gone & self._usages.keys())
            readings.update(again)
            self._put_off(still_gone)
        self.unfound = frozenset(wanted - readings.keys())
        now = time.monotonic()
        readings.update({key: missing_reading(key, now, NO_CGROUP) for key in self.unfound})
        return readings

    def close(self) -> None:
        """Close every file."""
        for usage in self._usages.values():
            usage.close()
        self._usages.clear()

    def _find(self, keys: set[ContainerKey]) -> None:
        now = time.monotonic()
        due = {key for key in keys if self._retry.get(key, (now, 0.0))[0] <= now}
        if not due:
            return
        places = self._finder.find({key.id for key in due})
        for key in due:
            if key.id in places:
                self._retry.pop(key, None)
                self._usages[key] = Usage(
                    key,
                    places[key.id],
                    budget=self._budget,
                    proc_root=self._proc_root,
                    host_memory_bytes=self._host_memory,
                )
        self._put_off(due - self._usages.keys())

    def _put_off(self, keys: set[ContainerKey]) -> None:
        now = time.monotonic()
        for key in keys:
            delay = min(_LONGEST_RETRY_S, max(_FIRST_RETRY_S, self._retry.get(key, (0.0, 0.0))[1] * 2))
            self._retry[key] = (now + delay, delay)

    def _read(self, keys: set[ContainerKey]) -> tuple[dict[ContainerKey, StatsReading], set[ContainerKey]]:
        readings: dict[ContainerKey, StatsReading] = {}
        gone: set[ContainerKey] = set()
        for key in keys:
            try:
                readings[key] = self._usages[key].read()
            except CgroupGone:
                self._usages.pop(key).close()
                gone.add(key)
        return readings, gone


def missing_reading(key: ContainerKey, sampled_at: float, reason: Missing) -> StatsReading:
    """A reading of which nothing could be read, for one reason."""
    return StatsReading(
        key=key,
        sampled_at=sampled_at,
        cpu_percent=reason,
        memory_bytes=reason,
        memory_limit_bytes=reason,
        net_rx_bytes_per_s=reason,
        net_tx_bytes_per_s=reason,
        block_read_bytes_per_s=reason,
        block_write_bytes_per_s=reason,
        processes=reason,
    )


def _host_memory(proc_root: Path) -> Count:
    try:
        total = mem_total_bytes((proc_root / "meminfo").read_bytes())
    except OSError as error:
        return Missing(f"no limit; /proc/meminfo: {error.strerror}")
    return Missing("no limit; /proc/meminfo does not tell MemTotal") if total is None else total
