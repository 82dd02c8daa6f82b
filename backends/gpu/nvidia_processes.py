"""Processes on one NVIDIA device and its MIG instances, with their memory and SM use. May not know containers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from operator import itemgetter
from typing import Any, TypeAlias

from backends.gpu import nvml_errors
from backends.gpu.nvidia_driver import Driver
from backends.gpu.nvidia_lists import COMPUTE, GRAPHICS, MPS, ProcessLists
from backends.gpu.nvidia_mig import Instance
from backends.model.gpu import GpuProcess
from backends.model.values import Count, Missing

MEMORY_UNTOLD = Missing("the driver does not tell a process's memory")

# The driver samples use per process about once a second at the slowest: a process is idle once nothing of it was
# seen for longer than that.
_IDLE_AFTER_S = 2.5
_HISTORY_US = 2_000_000
_NOT_AVAILABLE = 2**64 - 1  # NVML_VALUE_NOT_AVAILABLE of nvml.h, -1 as unsigned long long
_MOST_PERCENT = 100  # a driver that has no value writes -1 into the unsigned field

_Place: TypeAlias = tuple[int, str]
"""Pid, and the UUID of the MIG instance ("" on none)."""


class ProcessReader:
    """Reads one device's processes. handle: NVML's of the device. lists: shared by all devices."""

    def __init__(self, driver: Driver, lists: ProcessLists, handle: Any, uuid: str, clock: Callable[[], float]) -> None:
        self._driver = driver
        self._lists = lists
        self._handle = handle
        self._uuid = uuid
        self._clock = clock
        self._seen_us = 0
        self._sm: dict[int, tuple[float, float]] = {}
        self._before: dict[_Place, GpuProcess] = {}
        self.refused = ""
        """Why the last `read` got no list at all, "" where it got one."""

    def read(self, instances: Iterable[Instance] = ()) -> tuple[GpuProcess, ...]:
        """All processes now, by pid; each once on a device or instance, also where it both computes and draws.

        Raises NVMLError where the whole driver is gone, DeviceLost where the device is.
        """
        memory = self._memory(tuple(instances))
        if not memory:
            self._before = {}
            return ()
        sm = self._sm_percent({pid for pid, _ in memory})
        before, self._before = self._before, {}
        for place in sorted(memory):
            pid, used, percent = place[0], memory[place], sm if isinstance(sm, Missing) else sm.get(place[0], 0.0)
            known = before.get(place)
            if known is None or known.memory_bytes != used or known.sm_percent != percent:
                known = GpuProcess(pid, self._uuid, used, percent, mig_uuid=place[1])
            self._before[place] = known
        return tuple(self._before.values())

    def _memory(self, instances: tuple[Instance, ...]) -> dict[_Place, Count]:
        """Bytes of each; the largest where several lists name it."""
        found: dict[_Place, Count] = {}
        refusals: list[str] = []
        uuids = {(one.shown.gpu_instance, one.shown.compute_instance): one.shown.uuid for one in instances}
        asked = 0
        for instance in instances:
            for kind in (COMPUTE, GRAPHICS):
                asked += 1
                for pid, used, _, _ in self._list(kind, instance.handle, refusals):
                    _add(found, (pid, instance.shown.uuid), used)
        on_instances = {pid for pid, _ in found}
        for kind in (COMPUTE, GRAPHICS, MPS):
            asked += 1
            for pid, used, gpu_instance, compute_instance in self._list(kind, self._handle, refusals):
                uuid = uuids.get((gpu_instance, compute_instance), "") if uuids else ""
                if uuid or pid not in on_instances:  # the device's own list may leave out which instance it is
                    _add(found, (pid, uuid), used)
        self.refused = refusals[-1] if len(refusals) == asked else ""
        return found

    def _list(self, kind: str, handle: Any, refusals: list[str]) -> list[tuple[int, int, int, int]]:
        try:
            return self._lists.running(kind, handle)
        except self._driver.nvml.NVMLError as error:
            # Without graphics or MPS the driver refuses that list: the others still tell.
            refusals.append(self._driver.refusal(error).reason)
            return []

    def _sm_percent(self, pids: Collection[int]) -> dict[int, float] | Missing:
        """Percent of the device by pid; NVML reports only those that were not idle, so all others are at 0."""
        now = self._clock()
        try:
            samples = self._lists.used(self._handle, self._seen_us)
        except self._driver.nvml.NVMLError as error:
            if error.value not in {nvml_errors.NOT_FOUND, nvml_errors.SUCCESS}:  # NOT_FOUND: nothing new
                return self._driver.refusal(error)
            samples = []
        # Drivers fill the rest of the buffer with entries of no process, of any time and percentage.
        told = [one for one in samples if one[0] in pids and one[2] <= _MOST_PERCENT]
        told.sort(key=itemgetter(1))
        newest = told[-1][1] if told else self._seen_us
        # The first answer holds the driver's whole history; later ones what is new, seconds apart between processes.
        oldest = self._seen_us or newest - _HISTORY_US
        self._sm.update((pid, (now, float(percent))) for pid, at_us, percent, *_ in told if at_us > oldest)
        self._seen_us = max(self._seen_us, newest)
        self._sm = {pid: seen for pid, seen in self._sm.items() if pid in pids and now - seen[0] <= _IDLE_AFTER_S}
        return {pid: percent for pid, (_, percent) in self._sm.items()}


def _add(found: dict[_Place, Count], place: _Place, used: int) -> None:
    before = found.get(place, MEMORY_UNTOLD)
    if used == _NOT_AVAILABLE:
        found.setdefault(place, MEMORY_UNTOLD)
    else:
        found[place] = used if isinstance(before, Missing) else max(before, used)
