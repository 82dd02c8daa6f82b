"""What one NVIDIA device tells every 2 s: temperature, power, clocks and health. May not know use or processes.

Constants: nvml.h, the same numbers as pynvml's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from backends.gpu.nvidia_driver import Driver
from backends.model.gpu import GpuClocks, GpuHealth, Words
from backends.model.values import NOT_SAMPLED, Count, Missing, Quantity

SLOW_TIER_S = 2.0

_GPU_SENSOR = 0  # NVML_TEMPERATURE_GPU
_SM_CLOCK, _MEMORY_CLOCK = 1, 2  # NVML_CLOCK_SM, NVML_CLOCK_MEM
_CORRECTED, _UNCORRECTED = 0, 1  # NVML_MEMORY_ERROR_TYPE_…
_SINCE_DRIVER_LOADED = 0  # NVML_VOLATILE_ECC
_RETIREMENT_CAUSES = (0, 1)  # NVML_PAGE_RETIREMENT_CAUSE_…: many single bit errors, one double bit error

_HW_SLOWDOWN, _HW_THERMAL, _HW_POWER_BRAKE = 0x8, 0x40, 0x80
# nvmlClocksEventReason… Idle (0x1) is no reason: see GpuClocks.
_REASONS = (
    (0x4, "power limit"),
    (_HW_THERMAL, "too hot (hardware slowdown)"),
    (0x20, "too warm (driver slowdown)"),
    (_HW_POWER_BRAKE, "power brake signal"),
    (_HW_SLOWDOWN, "hardware slowdown"),
    (0x10, "held to its sync boost group"),
    (0x2, "application clocks set"),
    (0x100, "display clocks set"),
)
_COMPUTE_MODES = ("default", "exclusive thread", "prohibited", "exclusive process")


@dataclass(frozen=True, slots=True)
class Slow:
    """Units as in GpuReading."""

    temperature_c: Quantity = NOT_SAMPLED
    power_w: Quantity = NOT_SAMPLED
    power_limit_w: Quantity = NOT_SAMPLED
    fan_percent: Quantity = NOT_SAMPLED
    clocks: GpuClocks = field(default_factory=GpuClocks)
    health: GpuHealth = field(default_factory=GpuHealth)


class SlowReader:
    """Reads one device, at most every 2 s. handle: NVML's of the device."""

    def __init__(self, driver: Driver, handle: Any, clock: Callable[[], float]) -> None:
        self._driver = driver
        self._handle = handle
        self._clock = clock
        self._read_at = float("-inf")
        self._slow = Slow()
        nvml = driver.nvml
        self._sm_max_mhz: Count = driver.number(nvml.nvmlDeviceGetMaxClockInfo, handle, _SM_CLOCK)
        self._memory_max_mhz: Count = driver.number(nvml.nvmlDeviceGetMaxClockInfo, handle, _MEMORY_CLOCK)

    def read(self) -> Slow:
        """The values now, or those of the last 2 s."""
        now = self._clock()
        if now - self._read_at >= SLOW_TIER_S:
            self._slow = self._ask()
            self._read_at = now
        return self._slow

    def _ask(self) -> Slow:
        number, nvml, handle = self._driver.number, self._driver.nvml, self._handle
        return Slow(
            temperature_c=number(nvml.nvmlDeviceGetTemperature, handle, _GPU_SENSOR, scale=1.0),
            power_w=number(nvml.nvmlDeviceGetPowerUsage, handle, scale=1e-3),  # NVML counts milliwatts
            power_limit_w=number(nvml.nvmlDeviceGetEnforcedPowerLimit, handle, scale=1e-3),
            fan_percent=number(nvml.nvmlDeviceGetFanSpeed, handle, scale=1.0),
            clocks=GpuClocks(
                sm_mhz=number(nvml.nvmlDeviceGetClockInfo, handle, _SM_CLOCK),
                sm_max_mhz=self._sm_max_mhz,
                memory_mhz=number(nvml.nvmlDeviceGetClockInfo, handle, _MEMORY_CLOCK),
                memory_max_mhz=self._memory_max_mhz,
                throttled=self._throttled(),
            ),
            health=GpuHealth(
                ecc_corrected=number(nvml.nvmlDeviceGetTotalEccErrors, handle, _CORRECTED, _SINCE_DRIVER_LOADED),
                ecc_uncorrected=number(nvml.nvmlDeviceGetTotalEccErrors, handle, _UNCORRECTED, _SINCE_DRIVER_LOADED),
                retired_pages=self._retired(),
                persistence=self._persistence(),
                compute_mode=self._compute_mode(),
            ),
        )

    def _throttled(self) -> tuple[str, ...] | Missing:
        nvml = self._driver.nvml
        reasons = self._driver.number(nvml.nvmlDeviceGetCurrentClocksEventReasons, self._handle)
        if isinstance(reasons, Missing):  # the name of drivers before 535
            reasons = self._driver.number(nvml.nvmlDeviceGetCurrentClocksThrottleReasons, self._handle)
        return reasons if isinstance(reasons, Missing) else throttle_words(reasons)

    def _retired(self) -> Count:
        """Rows remapped (Ampere and later), else pages retired."""
        nvml = self._driver.nvml
        rows = self._driver.ask(nvml.nvmlDeviceGetRemappedRows, self._handle)
        if not isinstance(rows, Missing):
            return int(rows[0]) + int(rows[1])  # for corrected errors, for uncorrected ones
        total = 0
        for cause in _RETIREMENT_CAUSES:
            pages = self._driver.ask(nvml.nvmlDeviceGetRetiredPages, self._handle, cause)
            if isinstance(pages, Missing):
                return pages
            total += len(pages)
        return total

    def _persistence(self) -> Words:
        mode = self._driver.number(self._driver.nvml.nvmlDeviceGetPersistenceMode, self._handle)
        return mode if isinstance(mode, Missing) else ("on" if mode else "off")

    def _compute_mode(self) -> Words:
        mode = self._driver.number(self._driver.nvml.nvmlDeviceGetComputeMode, self._handle)
        if isinstance(mode, Missing):
            return mode
        return _COMPUTE_MODES[mode] if 0 <= mode < len(_COMPUTE_MODES) else f"mode {mode}"


def throttle_words(reasons: int) -> tuple[str, ...]:
    """NVML's bits in plain words; () where the device runs as fast as it may."""
    if reasons & (_HW_THERMAL | _HW_POWER_BRAKE):
        reasons &= ~_HW_SLOWDOWN  # it only says that one of these two is so
    return tuple(words for bit, words in _REASONS if reasons & bit)
