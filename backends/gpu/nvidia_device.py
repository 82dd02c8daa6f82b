"""One NVIDIA device: found, read, lost, found again. Changes no setting of it, and may not know containers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from backends.gpu import nvml_errors
from backends.gpu.nvidia_driver import DeviceLost, Driver
from backends.gpu.nvidia_lists import ProcessLists
from backends.gpu.nvidia_mig import MigReader
from backends.gpu.nvidia_pcie import PcieReader
from backends.gpu.nvidia_processes import ProcessReader
from backends.gpu.nvidia_slow import SlowReader
from backends.gpu.unread import unread
from backends.model.gpu import GpuDevice, GpuReading, memory_percent
from backends.model.values import Missing, Quantity

_SHUTDOWN, _SLOWDOWN = 0, 1  # NVML_TEMPERATURE_THRESHOLD_…
_LOOK_AGAIN_S = 5.0
_UNREADABLE = "unreadable GPU"


@dataclass(slots=True)
class _Readers:
    """handle: NVML's, an opaque pointer. The rest asks it."""

    handle: Any
    processes: ProcessReader
    slow: SlowReader
    pcie: PcieReader
    mig: MigReader


class NvidiaDevice:
    """Reads one device. index: the driver's. lists: shared by all devices."""

    def __init__(self, driver: Driver, lists: ProcessLists, index: int, clock: Callable[[], float]) -> None:
        """Finds it. NVMLError only where the whole driver is gone: one lost device does not hide the others."""
        self._driver = driver
        self._lists = lists
        self._clock = clock
        self._readers: _Readers | None = None
        self._looked_at = float("-inf")
        self._device = GpuDevice(index, "", _UNREADABLE, "NVIDIA")
        self._why, self._hint = "", ""
        self.find()

    @property
    def lost(self) -> bool:
        """Whether the device cannot be read now."""
        return self._readers is None

    @property
    def index(self) -> int:
        """The driver's."""
        return self._device.index

    @property
    def handle(self) -> Any:
        """NVML's, None while the device is lost."""
        return self._readers.handle if self._readers else None

    @property
    def pcie(self) -> PcieReader | None:
        """None while the device is lost."""
        return self._readers.pcie if self._readers else None

    def find(self) -> None:
        """Get a handle of it: by its UUID where that is known, since indexes move when a device drops out."""
        driver, nvml, device = self._driver, self._driver.nvml, self._device
        self._readers = None
        self._looked_at = self._clock()
        try:
            if device.uuid:
                handle = nvml.nvmlDeviceGetHandleByUUID(device.uuid)
            else:
                handle = nvml.nvmlDeviceGetHandleByIndex(device.index)
            self._device = self._described(handle)
            self._readers = _Readers(
                handle=handle,
                processes=ProcessReader(driver, self._lists, handle, self._device.uuid, self._clock),
                slow=SlowReader(driver, handle, self._clock),
                pcie=PcieReader(driver, handle, self._clock),
                mig=MigReader(driver, handle, self._clock),
            )
        except DeviceLost as lost:
            self._lose(lost.code, lost.text)
        except nvml.NVMLError as error:
            if error.value in nvml_errors.FATAL:
                raise
            self._lose(error.value, str(error))

    def read(self, *, measure_pcie: bool = False) -> GpuReading:
        """All values now. NVMLError where the whole driver is gone."""
        if self._readers is None and self._clock() - self._looked_at >= _LOOK_AGAIN_S:
            self.find()
        if self._readers is not None:
            try:
                return self._read(self._readers, measure_pcie)
            except DeviceLost as lost:
                self._looked_at = self._clock()
                self._lose(lost.code, lost.text)
        return unread(self._device, self._clock(), self._why, condition=self._why, hint=self._hint)

    def _lose(self, code: int, text: str) -> None:
        self._readers = None
        self._why, self._hint = nvml_errors.condition(code, text, self._device.index)

    def _described(self, handle: Any) -> GpuDevice:
        """What does not change. DeviceLost where the handle is of a device that is gone."""
        driver, nvml = self._driver, self._driver.nvml
        pci = driver.ask(nvml.nvmlDeviceGetPciInfo, handle)
        return GpuDevice(
            index=self._device.index,
            uuid=driver.text(nvml.nvmlDeviceGetUUID, handle),
            name=driver.text(nvml.nvmlDeviceGetName, handle) or "NVIDIA GPU",
            vendor="NVIDIA",
            pci_bus_id="" if isinstance(pci, Missing) else str(pci.busId),
            memory_total_bytes=driver.memory(handle)[0],
            slowdown_c=driver.number(nvml.nvmlDeviceGetTemperatureThreshold, handle, _SLOWDOWN, scale=1.0),
            shutdown_c=driver.number(nvml.nvmlDeviceGetTemperatureThreshold, handle, _SHUTDOWN, scale=1.0),
        )

    def _read(self, readers: _Readers, measure_pcie: bool) -> GpuReading:
        now, handle = self._clock(), readers.handle
        driver, nvml = self._driver, self._driver.nvml
        rates = driver.ask(nvml.nvmlDeviceGetUtilizationRates, handle)
        _, used, free, reserved = driver.memory(handle)
        slow = readers.slow.read()
        received, sent = readers.pcie.read(measure=measure_pcie)
        mig = readers.mig.read()
        if (shown := tuple(one.shown for one in readers.mig.instances)) != self._device.mig:
            self._device = replace(self._device, mig=shown)
        return GpuReading(
            device=self._device,
            sampled_at=now,
            gpu_percent=rates if isinstance(rates, Missing) else float(rates.gpu),
            memory_percent=memory_percent(used, self._device.memory_total_bytes),
            memory_used_bytes=used,
            temperature_c=slow.temperature_c,
            power_w=slow.power_w,
            power_limit_w=slow.power_limit_w,
            fan_percent=slow.fan_percent,
            processes=readers.processes.read(readers.mig.instances),
            processes_refused=readers.processes.refused,
            memory_free_bytes=free,
            memory_reserved_bytes=reserved,
            memory_busy_percent=rates if isinstance(rates, Missing) else float(rates.memory),
            encoder_percent=self._codec(nvml.nvmlDeviceGetEncoderUtilization, handle),
            decoder_percent=self._codec(nvml.nvmlDeviceGetDecoderUtilization, handle),
            pcie_rx_bytes_s=received,
            pcie_tx_bytes_s=sent,
            clocks=slow.clocks,
            health=slow.health,
            mig=mig,
        )

    def _codec(self, function: Callable[..., Any], handle: Any) -> Quantity:
        answer = self._driver.ask(function, handle)
        return answer if isinstance(answer, Missing) else float(answer[0])  # [percent, sampling period]
