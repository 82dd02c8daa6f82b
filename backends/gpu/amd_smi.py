"""What AMD's own library amdsmi tells beside the kernel's files. Imported only where it is installed; never required.

amdsmi comes with ROCm, and its C part reads the very files that amd_card.py reads; so those are read first, and the
library is asked only for what they lack: the marketing name, and use and memory where the kernel gives no file (guests
of SR-IOV). Source: rocm.docs.amd.com, "AMD SMI Python API reference".
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from backends.gpu.amd_card import Fast
from backends.model.values import Count, Missing, Quantity

_MIB = 1 << 20  # vram_total and vram_used: "in MB", which the library computes by 1024 × 1024


class AmdSmi:
    """For one thread. Whatever the library refuses stays as the kernel's files had it."""

    def __init__(self, library: Callable[[], Any] = lambda: importlib.import_module("amdsmi")) -> None:
        """library: gives the module amdsmi, or a double of it."""
        self._library = library
        self._module: Any = None
        self._handles: dict[str, Any] = {}

    def open(self) -> None:
        """Load it where it is installed and works; else it is as if it were not there."""
        self.close()
        try:
            module = self._library()
        except (ImportError, OSError, KeyError, AttributeError):
            return  # not installed; or its C part is not, which shows as OSError, KeyError or AttributeError
        try:
            module.amdsmi_init()
        except module.AmdSmiException:
            return  # its driver does not answer
        self._module = module
        for handle in self._ask(module.amdsmi_get_processor_handles) or ():
            pci = self._ask(module.amdsmi_get_gpu_device_bdf, handle)
            if isinstance(pci, str):
                self._handles[pci.lower()] = handle

    def close(self) -> None:
        """Safe to call twice, and when never opened."""
        module, self._module, self._handles = self._module, None, {}
        if module is not None:
            self._call(module, module.amdsmi_shut_down)

    def name(self, pci: str) -> str:
        """The marketing name of the card at this PCI address, "" where it is not told."""
        info = self._about(pci, "amdsmi_get_gpu_asic_info")
        name = info.get("market_name")
        return name if isinstance(name, str) and name not in {"", "N/A"} else ""

    def filled(self, pci: str, read: Fast) -> Fast:
        """`read` with what it lacks and the library tells."""
        gpu, busy, used = read.gpu_percent, read.memory_busy_percent, read.memory_used_bytes
        if isinstance(gpu, Missing) or isinstance(busy, Missing):
            activity = self._about(pci, "amdsmi_get_gpu_activity")
            gpu, busy = _percent(gpu, activity.get("gfx_activity")), _percent(busy, activity.get("umc_activity"))
        if isinstance(used, Missing):
            used = _bytes(used, self._about(pci, "amdsmi_get_gpu_vram_usage").get("vram_used"))
        return Fast(gpu, busy, used)

    def memory_total_bytes(self, pci: str, read: Count) -> Count:
        """`read`, or what the library tells where it is missing."""
        if not isinstance(read, Missing):
            return read
        return _bytes(read, self._about(pci, "amdsmi_get_gpu_vram_usage").get("vram_total"))

    def _about(self, pci: str, function: str) -> Mapping[str, Any]:
        if pci not in self._handles:
            return {}
        answer = self._ask(getattr(self._module, function, None), self._handles[pci])
        return answer if isinstance(answer, dict) else {}

    def _ask(self, function: Any, *arguments: Any) -> Any:
        return None if function is None else self._call(self._module, function, *arguments)

    @staticmethod
    def _call(module: Any, function: Any, *arguments: Any) -> Any:
        """The answer, None where the library refuses."""
        try:
            return function(*arguments)
        except module.AmdSmiException:
            return None  # this card does not have it, as the library says by an exception for each


def _percent(before: Quantity, told: object) -> Quantity:
    good = isinstance(before, Missing) and isinstance(told, int | float) and not isinstance(told, bool)
    return float(told) if good and isinstance(told, int | float) else before  # "N/A" where it is not told


def _bytes(before: Count, told: object) -> Count:
    return told * _MIB if isinstance(told, int) and not isinstance(told, bool) else before
