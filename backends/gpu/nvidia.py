"""NVIDIA's GPUs by NVML (pynvml, imported when first opened). Changes no setting of a device.

What the driver refuses is Missing with NVML's own words. Read once: names, sizes, thresholds, how devices reach each
other; every 2 s: temperature, power, clocks, health, PCIe; at each sample: use, memory, MIG memory and processes. A
device that is lost keeps its place and is looked for again: by its UUID every 5 s, with NVML opened anew every 30 s.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backends.gpu import nvml_errors
from backends.gpu.nvidia_device import NvidiaDevice
from backends.gpu.nvidia_driver import DeviceLost, Driver
from backends.gpu.nvidia_links import read_links
from backends.gpu.nvidia_lists import ProcessLists
from backends.gpu.nvidia_pcie import in_turn
from backends.gpu.probe import GpuAbsent, VendorAbsent
from backends.model.gpu import GpuLink, GpuSnapshot
from backends.model.values import Missing

_OPEN_ANEW_S = 30.0
_LIBRARY = "libnvidia-ml.so.1"  # by which name pynvml looks for it on Linux
_NVIDIA, _DISPLAY = "0x10de", "0x03"  # PCI vendor id, and base class of display controllers (pci-ids.ucw.cz)


def _pynvml() -> Any:
    """pynvml. OSError where there is no driver to reach by it: it is a tenth of all our memory (14 MB)."""
    if "pynvml" not in sys.modules:
        import ctypes

        ctypes.CDLL(_LIBRARY)
    return importlib.import_module("pynvml")


class NvidiaProbe:
    """A GpuProbe. For one thread."""

    def __init__(
        self,
        library: Callable[[], Any] = _pynvml,
        *,
        pci_root: Path = Path("/sys/bus/pci/devices"),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """library: gives the module pynvml, OSError where there is no driver. pci_root: the kernel's list of cards."""
        self._library = library
        self._pci_root = pci_root
        self._clock = clock
        self._nvml: Any = None
        self._devices: list[NvidiaDevice] = []
        self._opened_at = 0.0
        self._versions = ("", "")
        self._links: tuple[GpuLink, ...] = ()

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
        except OSError as error:
            here = _has_device(self._pci_root)
            raise nvml_errors.absence(nvml_errors.LIBRARY_NOT_FOUND, str(error), device_here=here) from error
        try:
            nvml.nvmlInit()
        except nvml.NVMLError as error:
            raise nvml_errors.absence(error.value, str(error), device_here=_has_device(self._pci_root)) from error
        self._nvml = nvml
        self._opened_at = self._clock()
        driver = Driver(nvml)
        try:
            self._versions = (str(nvml.nvmlSystemGetDriverVersion()), _cuda_version(driver))
            lists = ProcessLists(nvml, self._versions[0])
            count = nvml.nvmlDeviceGetCount()
            self._devices = [NvidiaDevice(driver, lists, index, self._clock) for index in range(count)]
            handles = [(one.index, one.handle) for one in self._devices if one.handle is not None]
            self._links = read_links(driver, handles)
        except nvml.NVMLError as error:
            self.close()
            raise nvml_errors.absence(error.value, str(error)) from error
        if not self._devices:
            self.close()
            if _has_device(self._pci_root):
                raise GpuAbsent(
                    "The NVIDIA driver is here but sees no GPU, though the machine has one",
                    hint="`dmesg` tells whether the driver refused it; inside a container, start it with GPU access",
                )
            raise VendorAbsent("The NVIDIA driver is here but sees no GPU")

    def sample(self) -> GpuSnapshot:
        """All devices now. GpuAbsent where the driver went away since it was opened."""
        nvml = self._nvml
        if nvml is None:
            raise GpuAbsent("The NVIDIA driver is not open")
        try:
            self._look_for_lost()
            turn = in_turn([device.pcie for device in self._devices if device.pcie])
            readings = tuple(device.read(measure_pcie=device.pcie in turn) for device in self._devices)
        except nvml.NVMLError as error:
            raise nvml_errors.absence(error.value, str(error)) from error
        driver_version, cuda_version = self._versions
        return GpuSnapshot(readings, driver_version=driver_version, cuda_version=cuda_version, links=self._links)

    def close(self) -> None:
        """Shut NVML down; whatever it answers, it is not used again before the next open."""
        nvml, self._nvml, self._devices = self._nvml, None, []
        if nvml is None:
            return
        try:
            nvml.nvmlShutdown()
        except nvml.NVMLError:
            return  # a driver that is gone cannot be left in better order

    def _look_for_lost(self) -> None:
        """Open NVML anew where a device is lost for long: it counts the devices only then."""
        if self._clock() - self._opened_at < _OPEN_ANEW_S or not any(device.lost for device in self._devices):
            return
        self._opened_at = self._clock()
        self._nvml.nvmlShutdown()
        self._nvml.nvmlInit()
        for device in self._devices:  # handles may have moved, those of good devices too
            device.find()


def _cuda_version(driver: Driver) -> str:
    """The newest CUDA that the driver runs, "12.4"; "" where it does not tell."""
    try:
        number = driver.number(driver.nvml.nvmlSystemGetCudaDriverVersion_v2)
    except DeviceLost:
        return ""
    return "" if isinstance(number, Missing) else f"{number // 1000}.{number % 1000 // 10}"


def _has_device(pci_root: Path) -> bool:
    """Whether the machine has a display or computing card of NVIDIA, driver or not."""
    for card in sorted(pci_root.glob("*")):
        try:
            vendor, kind = (card.joinpath(name).read_text("ascii", "replace").strip() for name in ("vendor", "class"))
        except OSError:
            continue  # it went away while we looked
        if vendor == _NVIDIA and kind.startswith(_DISPLAY):
            return True
    return False
