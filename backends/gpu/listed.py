"""GPUs of vendors that have no probe here, by the CDI names under which containers are given them. Measures nothing.

NVIDIA's and AMD's names are left out: their probes show those devices with readings. Source: backends.cdi.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from backends import cdi
from backends.gpu.probe import GpuAbsent, VendorAbsent
from backends.gpu.unread import unread
from backends.model.gpu import GpuDevice, GpuSnapshot
from backends.model.values import Missing

NO_PROBE = Missing("no probe for this vendor")

PROBED = ("nvidia.com", "amd.com")
"""Vendors whose devices the other probes show; also "management.nvidia.com" and the like."""

_VENDORS = {"intel.com": "Intel", "qualcomm.com": "Qualcomm", "habana.ai": "Habana", "furiosa.ai": "FuriosaAI"}
# CDI names every kind of device, network cards too: these words of a class stand for one that computes.
_COMPUTES = re.compile(r"gpu|npu|tpu|hpu|xpu|accel|gaudi|aic", re.IGNORECASE)
_ALL = "all"


class ListedProbe:
    """A GpuProbe without values. For one thread."""

    def __init__(
        self,
        told: Callable[[], Collection[str]] = tuple,
        *,
        folders: Iterable[str] = cdi.FOLDERS,
        root: Path = Path("/"),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """told: CDI names that engines of this machine tell; called in the probe's thread at each sample.

        root: for tests, another tree with the machine's layout.
        """
        self._told = told
        self._folders = tuple(folders)
        self._root = root
        self._clock = clock
        self._stamps: object = None
        self._files = cdi.CdiFiles()

    def open(self) -> None:
        """Look for such devices. VendorAbsent where there is none, GpuAbsent where a specification is unreadable."""
        if self._devices():
            return
        broken = next((file for file in self._files.files if file.problem), None)
        if broken is not None:
            raise GpuAbsent(f"{broken.path}: {broken.problem}", hint="make it anew with the tool of the GPU's vendor")
        raise VendorAbsent("No CDI device of another vendor on this machine")

    def sample(self) -> GpuSnapshot:
        """The devices, every value Missing. VendorAbsent where the last one went away."""
        devices, now = self._devices(), self._clock()
        if not devices:
            raise VendorAbsent("No CDI device of another vendor on this machine any more")
        notes = tuple(f"{file.path}: {file.problem}" for file in self._files.files if file.problem)
        return GpuSnapshot(tuple(unread(device, now, NO_PROBE.reason) for device in devices), notes=notes)

    def close(self) -> None:
        """Forget the files, so that the next open reads them again."""
        self._stamps, self._files = None, cdi.CdiFiles()

    def _devices(self) -> list[GpuDevice]:
        stamps = self._look()
        if self._stamps is None or stamps != self._stamps:
            self._stamps, self._files = stamps, cdi.read_files(self._folders, self._root)
        nodes = {device.name: device.nodes for _, device in self._files.devices()}
        nodes.update({name: () for name in self._told() if name not in nodes})
        return _listed(nodes)

    def _look(self) -> list[tuple[str, int, int]]:
        """Names, times and sizes of all files: what changed is read again, and nothing else."""
        found: list[tuple[str, int, int]] = []
        for folder in self._folders:
            try:
                paths = [entry.path for entry in os.scandir(self._root / folder.lstrip("/"))]
            except OSError:
                continue  # not there, or not ours to list: nothing of it can be shown
            found += [(path, *_stamp(path)) for path in paths]
        return sorted(found)


def _stamp(path: str) -> tuple[int, int]:
    try:
        found = os.stat(path)
    except OSError:
        return (0, 0)  # a link to nothing, until it is one to something
    return found.st_mtime_ns, found.st_size


def _listed(nodes: dict[str, tuple[str, ...]]) -> list[GpuDevice]:
    """One device for all names with the same nodes (by number and by id), the first one's; "all" is no device."""
    devices: list[GpuDevice] = []
    taken: set[tuple[str, frozenset[str]]] = set()
    indexes: dict[str, int] = {}
    for name, paths in nodes.items():
        kind, _, short = name.partition("=")
        domain, _, group = kind.partition("/")
        same = kind, frozenset(paths)
        if short in {"", _ALL} or not _COMPUTES.search(group) or _probed(domain) or (paths and same in taken):
            continue
        taken.add(same)
        vendor = _VENDORS.get(domain, domain)
        index = indexes[vendor] = indexes.get(vendor, -1) + 1
        devices.append(GpuDevice(index, name, name, vendor, memory_total_bytes=NO_PROBE, cdi_name=name))
    return devices


def _probed(domain: str) -> bool:
    return any(domain == vendor or domain.endswith(f".{vendor}") for vendor in PROBED)
