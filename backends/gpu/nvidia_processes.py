"""Processes on one NVIDIA device, with their memory and SM use. May not know containers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from backends.gpu import nvml_errors
from backends.model.gpu import GpuProcess
from backends.model.values import Count, Missing, Quantity

MEMORY_UNTOLD = Missing("the driver does not tell a process's memory")

_LISTS = (
    "nvmlDeviceGetComputeRunningProcesses",
    "nvmlDeviceGetGraphicsRunningProcesses",
    "nvmlDeviceGetMPSComputeRunningProcesses",
)
# The driver samples use per process about once a second at the slowest: a process is idle once nothing of it was
# seen for longer than that.
_IDLE_AFTER_S = 2.5
_HISTORY_US = 1_000_000
_NOT_AVAILABLE = 2**64 - 1  # NVML_VALUE_NOT_AVAILABLE of nvml.h, -1 as unsigned long long
# A driver that has no value writes -1 into the unsigned field.
_MOST_PERCENT = 100


class ProcessReader:
    """Reads one device's processes. nvml: the module pynvml. handle: NVML's of the device."""

    def __init__(self, nvml: Any, handle: Any, uuid: str, clock: Callable[[], float]) -> None:
        self._nvml = nvml
        self._handle = handle
        self._uuid = uuid
        self._clock = clock
        self._seen_us = 0
        self._sm: dict[int, tuple[float, float]] = {}
        self.refused = ""
        """Why the last `read` got no list at all, "" where it got one."""

    def read(self) -> tuple[GpuProcess, ...]:
        """All processes now, by pid; each once, also where it both computes and draws.

        Raises NVMLError where the whole driver is gone.
        """
        memory = self._memory()
        if not memory:
            return ()
        sm = self._sm_percent(memory)
        return tuple(GpuProcess(pid, self._uuid, memory[pid], sm[pid]) for pid in sorted(memory))

    def _memory(self) -> dict[int, Count]:
        """Bytes by pid; the largest where several lists name it."""
        found: dict[int, Count] = {}
        refusals: list[str] = []
        for name in _LISTS:
            try:
                processes = getattr(self._nvml, name)(self._handle)
            except self._nvml.NVMLError as error:
                if error.value in nvml_errors.FATAL:
                    raise
                refusals.append(str(error))  # without graphics or MPS it refuses that list: the others still tell
                continue
            for process in processes:
                pid, used = int(process.pid), process.usedGpuMemory
                before = found.get(pid, MEMORY_UNTOLD)
                if used is None or int(used) == _NOT_AVAILABLE:  # None: pynvml's word for it
                    found.setdefault(pid, MEMORY_UNTOLD)
                else:
                    found[pid] = int(used) if isinstance(before, Missing) else max(before, int(used))
        self.refused = refusals[0] if len(refusals) == len(_LISTS) else ""
        return found

    def _sm_percent(self, pids: Mapping[int, Count]) -> dict[int, Quantity]:
        """Percent of the device by pid: NVML reports only those that were not idle, so all others are 0."""
        now = self._clock()
        try:
            samples = self._nvml.nvmlDeviceGetProcessUtilization(self._handle, self._seen_us)
        except self._nvml.NVMLError as error:
            if error.value in nvml_errors.FATAL:
                raise
            # NOT_FOUND: nothing new. SUCCESS: pynvml raises it where the driver has no samples at all.
            if error.value not in {nvml_errors.NOT_FOUND, nvml_errors.SUCCESS}:
                return dict.fromkeys(pids, Missing(str(error)))
            samples = []
        newest = max((int(sample.timeStamp) for sample in samples), default=self._seen_us)
        for sample in sorted(samples, key=lambda sample: int(sample.timeStamp)):
            recent = int(sample.timeStamp) > newest - _HISTORY_US  # the first answer holds the driver's whole history
            if recent and int(sample.smUtil) <= _MOST_PERCENT:
                self._sm[int(sample.pid)] = (now, float(sample.smUtil))
        self._seen_us = newest
        self._sm = {pid: seen for pid, seen in self._sm.items() if pid in pids and now - seen[0] <= _IDLE_AFTER_S}
        return {pid: self._sm[pid][1] if pid in self._sm else 0.0 for pid in pids}
