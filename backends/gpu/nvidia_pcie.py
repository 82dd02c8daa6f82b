"""What goes over PCIe to and from one NVIDIA device, without holding up the others.

nvmlDeviceGetPcieThroughput measures for 20 ms each way, so 16 devices would take two thirds of each second. Newer
drivers count the bytes instead (NVML_FI_DEV_PCIE_COUNT_…_BYTES, driver 550 and later): reading a counter costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from backends.gpu.nvidia_driver import Driver
from backends.gpu.nvidia_slow import SLOW_TIER_S
from backends.model.values import NOT_SAMPLED, Missing, Quantity

_TX_BYTES, _RX_BYTES = 197, 198  # NVML_FI_DEV_PCIE_COUNT_…
_TX, _RX = 0, 1  # NVML_PCIE_UTIL_…
_KIB = 1024.0
# nvmlValueType_t: unsigned long, unsigned long long. A counter of 32 bits wraps several times a second under load.
_WIDE = frozenset({2, 3})
_FIRST = Missing("first sample")
_AT_ONCE = 4  # measured per sample: 160 ms of a second

Rates: TypeAlias = tuple[Quantity, Quantity]
"""Bytes per second towards the device, and from it."""


class PcieReader:
    """Reads one device. handle: NVML's of the device."""

    def __init__(self, driver: Driver, handle: Any, clock: Callable[[], float]) -> None:
        self._driver = driver
        self._handle = handle
        self._clock = clock
        self._counts: tuple[float, int, int] | None = None
        self._rates: Rates = (NOT_SAMPLED, NOT_SAMPLED)
        self.counted = True
        """False where the driver does not count, so that it has to be measured."""
        self.read_at = float("-inf")
        """Clock seconds of the last value."""
        self._count(clock())

    def read(self, *, measure: bool) -> Rates:
        """The rates now, or the last ones. measure: it is this device's turn, where it has to be measured."""
        now = self._clock()
        if now - self.read_at >= SLOW_TIER_S:
            if self.counted:
                self._count(now)
            if not self.counted and measure:
                self._rates = (self._measured(_RX), self._measured(_TX))
                self.read_at = now
        return self._rates

    def _count(self, now: float) -> None:
        answer = self._driver.ask(self._driver.nvml.nvmlDeviceGetFieldValues, self._handle, [_RX_BYTES, _TX_BYTES])
        if isinstance(answer, Missing) or any(one.nvmlReturn or one.valueType not in _WIDE for one in answer):
            self.counted = False
            return
        received, sent = (int(one.value.ullVal) for one in answer)
        before, self._counts = self._counts, (now, received, sent)
        self.read_at = now
        if before is None or received < before[1] or sent < before[2]:  # the driver was loaded anew
            self._rates = (_FIRST, _FIRST)
        else:
            seconds = now - before[0]
            self._rates = ((received - before[1]) / seconds, (sent - before[2]) / seconds)

    def _measured(self, way: int) -> Quantity:
        # The reference says KB/s; nvidia-smi's and nvtop's reading of it, KiB, is taken.
        kib: Quantity = self._driver.number(
            self._driver.nvml.nvmlDeviceGetPcieThroughput, self._handle, way, scale=_KIB
        )
        return kib


def in_turn(readers: Iterable[PcieReader]) -> frozenset[PcieReader]:
    """Those of the readers that may measure in this sample: the ones whose values are oldest."""
    waiting = sorted((one for one in readers if not one.counted), key=lambda one: one.read_at)
    return frozenset(waiting[:_AT_ONCE])
