"""NVIDIA's GPUs by NVML (pynvml, imported when first opened). Changes no setting of a device.

What the driver refuses is Missing with NVML's own words. Read once: names and sizes; every 2 s: temperature, power
and fan; at each sample: use, memory and processes.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from backends.gpu import nvml_errors
from backends.gpu.nvidia_processes import ProcessReader
from backends.gpu.probe import GpuAbsent
from backends.gpu.vendors import other_vendors_text
from backends.model.gpu import GpuDevice, GpuReading, GpuSnapshot
from backends.model.values import NOT_SAMPLED, Count, Missing, Quantity

_T = TypeVar("_T")

_SLOW_TIER_S = 2.0


@dataclass(frozen=True, slots=True)
class _Slow:
    """What changes slowly. read_at: clock seconds."""

    read_at: float = float("-inf")
    temperature_c: Quantity = NOT_SAMPLED
    power_w: Quantity = NOT_SAMPLED
    power_limit_w: Quantity = NOT_SAMPLED
    fan_percent: Quantity = NOT_SAMPLED


@dataclass(slots=True)
class _Card:
    """One device. handle: an opaque pointer of NVML. processes: None where NVML gave no handle, refused tells why."""

    handle: Any
    device: GpuDevice
    processes: ProcessReader | None
    refused: Missing = NOT_SAMPLED
    slow: _Slow = _Slow()


class NvidiaProbe:
    """A GpuProbe. For one thread."""

    def __init__(
        self,
        library: Callable[[], Any] = lambda: importlib.import_module("pynvml"),
        *,
        drm_root: Path = Path("/sys/class/drm"),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """library: gives the module pynvml, or a double of it. drm_root: where other vendors' cards show."""
        self._library = library
        self._drm_root = drm_root
        self._clock = clock
        self._nvml: Any = None
        self._cards: list[_Card] = []
        self._driver_version = ""

    def open(self) -> None:
        """Load the library and find the devices. GpuAbsent with the reason where that fails."""
        try:
            nvml = self._library()
        except ImportError as error:
            raise GpuAbsent(
                "The Python package nvidia-ml-py (module pynvml) cannot be imported",
                detail=str(error),
                hint="install Tranship again with its dependencies",
            ) from error
        try:
            nvml.nvmlInit()
        except nvml.NVMLError as error:
            raise nvml_errors.absence(error.value, str(error), other_vendors_text(self._drm_root)) from error
        self._nvml = nvml
        try:
            self._driver_version = str(nvml.nvmlSystemGetDriverVersion())
            self._cards = [self._card(index) for index in range(nvml.nvmlDeviceGetCount())]
        except nvml.NVMLError as error:
            self.close()
            raise nvml_errors.absence(error.value, str(error)) from error
        if not self._cards:
            self.close()
            others = other_vendors_text(self._drm_root)
            raise GpuAbsent("; ".join(filter(None, ("The NVIDIA driver is here but sees no GPU", others))))

    def sample(self) -> GpuSnapshot:
        """All devices now. GpuAbsent where the driver went away since it was opened."""
        nvml = self._nvml
        if nvml is None:
            raise GpuAbsent("The NVIDIA driver is not open")
        try:
            return GpuSnapshot(tuple(map(self._reading, self._cards)), driver_version=self._driver_version)
        except nvml.NVMLError as error:
            raise nvml_errors.absence(error.value, str(error)) from error

    def close(self) -> None:
        """Shut NVML down; whatever it answers, it is not used again before the next open."""
        nvml, self._nvml, self._cards = self._nvml, None, []
        if nvml is None:
            return
        try:
            nvml.nvmlShutdown()
        except nvml.NVMLError:
            return  # a driver that is gone cannot be left in better order

    def _card(self, index: int) -> _Card:
        """NVMLError only where the whole driver is gone: one lost device does not hide the others."""
        nvml = self._nvml
        handle = self._ask(lambda: nvml.nvmlDeviceGetHandleByIndex(index))
        if isinstance(handle, Missing):
            unknown = GpuDevice(index, "", "unreadable GPU", "NVIDIA", memory_total_bytes=handle)
            return _Card(None, unknown, None, refused=handle)
        uuid = _text(self._ask(lambda: str(nvml.nvmlDeviceGetUUID(handle))))
        device = GpuDevice(
            index=index,
            uuid=uuid,
            name=_text(self._ask(lambda: str(nvml.nvmlDeviceGetName(handle)))) or "NVIDIA GPU",
            vendor="NVIDIA",
            pci_bus_id=_text(self._ask(lambda: str(nvml.nvmlDeviceGetPciInfo(handle).busId))),
            memory_total_bytes=self._ask(lambda: int(nvml.nvmlDeviceGetMemoryInfo(handle).total)),
        )
        return _Card(handle, device, ProcessReader(nvml, handle, uuid, self._clock))

    def _reading(self, card: _Card) -> GpuReading:
        nvml, handle, now = self._nvml, card.handle, self._clock()
        if card.processes is None:
            no = card.refused
            return GpuReading(card.device, now, no, no, no, no, no, no, no, processes_refused=no.reason)
        if now - card.slow.read_at >= _SLOW_TIER_S:
            card.slow = self._slow(handle, now)
        used: Count = self._ask(lambda: int(nvml.nvmlDeviceGetMemoryInfo(handle).used))
        return GpuReading(
            device=card.device,
            sampled_at=now,
            gpu_percent=self._ask(lambda: float(nvml.nvmlDeviceGetUtilizationRates(handle).gpu)),
            memory_percent=_percent(used, card.device.memory_total_bytes),
            memory_used_bytes=used,
            temperature_c=card.slow.temperature_c,
            power_w=card.slow.power_w,
            power_limit_w=card.slow.power_limit_w,
            fan_percent=card.slow.fan_percent,
            processes=card.processes.read(),
            processes_refused=card.processes.refused,
        )

    def _slow(self, handle: Any, now: float) -> _Slow:
        nvml = self._nvml
        return _Slow(
            read_at=now,
            temperature_c=self._ask(lambda: float(nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU))),
            power_w=self._ask(lambda: nvml.nvmlDeviceGetPowerUsage(handle) / 1000),  # NVML counts milliwatts
            power_limit_w=self._ask(lambda: nvml.nvmlDeviceGetEnforcedPowerLimit(handle) / 1000),
            fan_percent=self._ask(lambda: float(nvml.nvmlDeviceGetFanSpeed(handle))),
        )

    def _ask(self, question: Callable[[], _T]) -> _T | Missing:
        """The answer, or why the driver refuses it. NVMLError where the whole driver is gone."""
        try:
            return question()
        except self._nvml.NVMLError as error:
            if error.value in nvml_errors.FATAL:
                raise
            return Missing(str(error))


def _text(answer: str | Missing) -> str:
    return "" if isinstance(answer, Missing) else answer


def _percent(part: Count, whole: Count) -> Quantity:
    if isinstance(part, Missing):
        return part
    if isinstance(whole, Missing):
        return whole
    return part / whole * 100 if whole else Missing("no memory of its own")
