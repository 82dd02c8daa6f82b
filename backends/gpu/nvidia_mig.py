"""The MIG instances of one NVIDIA device: which there are, and what memory each uses. Changes no layout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from backends.gpu.nvidia_driver import Driver
from backends.model.gpu import MigInstance, MigReading
from backends.model.values import Missing

_LOOK_AGAIN_S = 30.0  # an administrator may cut the device anew while we look


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance. handle: NVML's."""

    shown: MigInstance
    handle: Any


class MigReader:
    """Reads one device's instances. handle: NVML's of the device."""

    def __init__(self, driver: Driver, handle: Any, clock: Callable[[], float]) -> None:
        self._driver = driver
        self._handle = handle
        self._clock = clock
        self._looked_at = float("-inf")
        self._refused = False
        self.instances: tuple[Instance, ...] = ()

    def read(self) -> tuple[MigReading, ...]:
        """Each instance's memory now; () where the device has none.

        The layout is looked at again every 30 s, and at once where an instance does not answer any more.
        """
        if self._clock() - self._looked_at >= _LOOK_AGAIN_S:
            self._look()
        readings = self._readings()
        if _refused(readings) and not self._refused:
            self._look()
            readings = self._readings()
        self._refused = _refused(readings)
        return readings

    def _readings(self) -> tuple[MigReading, ...]:
        return tuple(MigReading(one.shown.uuid, self._driver.memory(one.handle)[1]) for one in self.instances)

    def _look(self) -> None:
        self._looked_at = self._clock()
        driver, nvml = self._driver, self._driver.nvml
        mode = driver.ask(nvml.nvmlDeviceGetMigMode, self._handle)
        if isinstance(mode, Missing) or not mode[0]:  # [current, pending]
            self.instances = ()
            return
        most = driver.number(nvml.nvmlDeviceGetMaxMigDeviceCount, self._handle)
        indexes = range(0 if isinstance(most, Missing) else most)
        handles = (
            (index, driver.ask(nvml.nvmlDeviceGetMigDeviceHandleByIndex, self._handle, index)) for index in indexes
        )
        self.instances = tuple(
            self._instance(index, handle) for index, handle in handles if not isinstance(handle, Missing)
        )

    def _instance(self, index: int, handle: Any) -> Instance:
        driver, nvml = self._driver, self._driver.nvml
        gpu_instance = driver.number(nvml.nvmlDeviceGetGpuInstanceId, handle)
        compute_instance = driver.number(nvml.nvmlDeviceGetComputeInstanceId, handle)
        # "NVIDIA A100-SXM4-40GB MIG 1g.5gb"
        profile = driver.text(nvml.nvmlDeviceGetName, handle).rpartition(" MIG ")[2]
        shown = MigInstance(
            index=index,
            uuid=driver.text(nvml.nvmlDeviceGetUUID, handle),
            profile=profile,
            gpu_instance=-1 if isinstance(gpu_instance, Missing) else gpu_instance,
            compute_instance=-1 if isinstance(compute_instance, Missing) else compute_instance,
            memory_total_bytes=driver.memory(handle)[0],
        )
        return Instance(shown, handle)


def _refused(readings: tuple[MigReading, ...]) -> bool:
    return any(isinstance(one.memory_used_bytes, Missing) for one in readings)
