"""Processes on AMD's GPUs, with memory and use: from their descriptors (fdinfo) and from KFD. Knows no container.

Source: Documentation/gpu/drm-usage-stats.rst. A look at every descriptor of every process would cost more than all
other readings together: descriptors of the GPU are remembered, and the others are gone through a few at a time.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from backends.gpu import amd_files as files
from backends.gpu import amd_kfd as kfd
from backends.gpu.amd_card import DRIVER
from backends.gpu.probe import plus
from backends.model.gpu import GpuProcess
from backends.model.values import NOT_SAMPLED, Count, Missing, Quantity

HIDDEN = "other users' processes are hidden from this user: run Tranship as root to see them"
NO_FDINFO = Missing("no permission to look at this user's process")

LINKS_A_TIME = 1000
"""Descriptors looked at in one `read`: about 3 ms; a machine with 10,000 of them is gone through in 10 seconds. That
is how late an old process that opens a GPU to draw may be seen; one that computes by ROCm is seen at once, by KFD."""

_NODE = re.compile(r"/dri/(?:renderD|card)\d+$")
_CORES = ("gfx", "compute")  # amdgpu's names of the engines that compute; the others copy, encode and decode


@dataclass(slots=True)
class _Use:
    """What one process's clients of one GPU add up to."""

    memory_bytes: Count = NOT_SAMPLED
    percent: Quantity = NOT_SAMPLED

    def add(self, memory_bytes: Count, percent: Quantity) -> None:
        self.memory_bytes = plus(self.memory_bytes, memory_bytes)
        self.percent = plus(self.percent, percent)


@dataclass(slots=True)
class _Busy:
    """Busy time of one client when it was last read. at: clock seconds."""

    at: float
    core_ns: int


@dataclass(slots=True)
class _Descriptors:
    """Which descriptors are a GPU's. waiting: processes in the order in which they are looked at again."""

    of: dict[int, tuple[str, ...]] = field(default_factory=dict)
    waiting: deque[int] = field(default_factory=deque)
    refused: set[int] = field(default_factory=set)


class ProcessReader:
    """Reads all GPUs' processes at once. For one thread."""

    def __init__(
        self, proc_root: Path, sys_root: Path, clock: Callable[[], float], links_a_time: int = LINKS_A_TIME
    ) -> None:
        self._proc = proc_root
        self._sys = sys_root
        self._clock = clock
        self._links_a_time = links_a_time
        self._seen = _Descriptors()
        self._busy: dict[tuple[str, str], _Busy] = {}
        self._kfd = kfd.KfdReader(sys_root)
        self._by_kfd = True
        self.refused = ""
        """Why the last `read` is not whole, "" where it is: KFD tells the computing processes of all users."""

    def open(self, *, by_kfd: bool = True) -> None:
        """Look which GPUs KFD knows. To be called again when a GPU came or went.

        by_kfd: False where our /proc is of another pid namespace than KFD's, which is the machine's first.
        """
        self._by_kfd = by_kfd
        self._kfd.open()

    def read(self, uuids: Mapping[str, str]) -> Mapping[str, tuple[GpuProcess, ...]]:
        """Processes by PCI address, by pid. uuids: the GPUs' by PCI address; clients of others are left out."""
        computing = self._kfd.read() if self._by_kfd else {}
        self._look({pid for pid, _ in computing})
        drawn = self._clients(uuids)
        found: dict[str, list[GpuProcess]] = {}
        for pid, pci in sorted({*drawn, *computing}):
            if pci in uuids:
                memory, percent = self._together(pid, drawn.get((pid, pci)), computing.get((pid, pci)))
                found.setdefault(pci, []).append(GpuProcess(pid, uuids[pci], memory, percent))
        hidden = bool(self._seen.refused) and not (self._by_kfd and kfd.lists_processes(self._sys))
        self.refused = HIDDEN if hidden else ""
        return {pci: tuple(processes) for pci, processes in found.items()}

    def _together(self, pid: int, drawn: _Use | None, computing: kfd.Compute | None) -> tuple[Count, Quantity]:
        """fdinfo does not count ROCm's own queues, and both count its memory: the larger is the truth."""
        if computing is None:
            return (drawn.memory_bytes, drawn.percent) if drawn else (NOT_SAMPLED, NOT_SAMPLED)
        if drawn is None:
            refused = pid in self._seen.refused and isinstance(computing.percent, Missing)
            return computing.memory_bytes, NO_FDINFO if refused else computing.percent
        percent = computing.percent
        if not isinstance(percent, Missing):
            percent = max(percent, 0.0 if isinstance(drawn.percent, Missing) else drawn.percent)
        return _larger(drawn.memory_bytes, computing.memory_bytes), percent

    def _look(self, computing: Iterable[int]) -> None:
        """Find descriptors of GPUs: of new processes first, then of those that were looked at longest ago."""
        seen = self._seen
        pids = self._pids()
        for gone in (seen.of.keys() | seen.refused) - pids:
            seen.of.pop(gone, None)
            seen.refused.discard(gone)
        known = set(seen.waiting)
        fresh = sorted(pids - known)
        soon = [pid for pid in sorted(computing) if pid in pids and pid in known and pid not in seen.of]
        seen.waiting = deque([*soon, *fresh, *(pid for pid in seen.waiting if pid in pids and pid not in soon)])
        left = self._links_a_time
        for _ in range(len(seen.waiting)):
            if left <= 0:
                return
            pid = seen.waiting.popleft()
            seen.waiting.append(pid)
            left -= self._look_at(pid)

    def _look_at(self, pid: int) -> int:
        """How many descriptors it has; at least 1, since asking costs too."""
        folder, seen = f"{self._proc}/{pid}/fd", self._seen
        try:
            names = os.listdir(folder)
        except PermissionError:
            seen.refused.add(pid)
            return 1
        except OSError:
            return 1  # it ended
        seen.refused.discard(pid)
        found = tuple(sorted(name for name in names if _is_gpu(f"{folder}/{name}")))
        if found:
            seen.of[pid] = found
        else:
            seen.of.pop(pid, None)
        return max(1, len(names))

    def _pids(self) -> set[int]:
        try:
            names = os.listdir(self._proc)
        except OSError:
            return set()
        return {int(name) for name in names if name.isascii() and name.isdigit()}

    def _clients(self, uuids: Mapping[str, str]) -> Mapping[tuple[int, str], _Use]:
        """Use by pid and PCI address. A client that several descriptors or processes share is counted once."""
        now = self._clock()
        counted: dict[tuple[str, str], _Busy] = {}
        found: dict[tuple[int, str], _Use] = {}
        for pid in sorted(self._seen.of):
            for name in self._seen.of[pid]:
                text = files.read_text(f"{self._proc}/{pid}/fdinfo/{name}")
                client = None if isinstance(text, Missing) else files.drm_client(text)
                if client is None or client.driver != DRIVER or client.pci not in uuids:
                    continue  # closed or taken anew since it was found: the next look at the process tells
                key = client.pci, client.client_id
                if key in counted:
                    continue
                percent, counted[key] = self._percent(key, client, now)
                use = found.get((pid, client.pci))
                if use is None:
                    found[pid, client.pci] = _Use(client.vram_bytes, percent)
                else:
                    use.add(client.vram_bytes, percent)
        self._busy = counted
        return found

    def _percent(self, key: tuple[str, str], client: files.DrmClient, now: float) -> tuple[Quantity, _Busy]:
        """By the difference to the last read; drm-usage-stats.rst: a value that fell counts once it has caught up."""
        core_ns = sum(client.engine_ns.get(engine, 0) for engine in _CORES)
        before = self._busy.get(key)
        if before is None:
            return NOT_SAMPLED, _Busy(now, core_ns)
        if now <= before.at:
            return NOT_SAMPLED, before
        core_ns = max(core_ns, before.core_ns)
        return min(100.0, (core_ns - before.core_ns) / (now - before.at) / 1e7), _Busy(now, core_ns)


def _is_gpu(link: str) -> bool:
    try:
        return _NODE.search(os.readlink(link)) is not None
    except OSError:
        return False  # closed since it was listed


def _larger(one: Count, other: Count) -> Count:
    if isinstance(one, Missing):
        return other
    return one if isinstance(other, Missing) else max(one, other)
