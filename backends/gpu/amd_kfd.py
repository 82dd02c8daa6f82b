"""Processes that compute on AMD's GPUs by ROCm, as the kernel's KFD tells for all users. Knows no descriptor.

Sources: drivers/gpu/drm/amd/amdkfd/kfd_process.c (/sys/class/kfd/kfd/proc/PID: vram_GPUID in bytes,
stats_GPUID/cu_occupancy "number of Compute Units currently in use by this process") and kfd_topology.c
(/sys/class/kfd/kfd/topology/nodes/N: gpu_id, properties). sdma_GPUID beside them counts copies, which use no core.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from backends.gpu import amd_files as files
from backends.model.values import Count, Missing, Quantity

QUEUES_UNTOLD = Missing("this GPU's driver does not tell how much a ROCm process computes")

_PROC = "class/kfd/kfd/proc"
_NODES = "class/kfd/kfd/topology/nodes"
_CORES = "cu_occupancy"


@dataclass(frozen=True, slots=True)
class Node:
    """A GPU as KFD names it. gpu_id: its number in file names. cores: compute units, 0 where not told."""

    gpu_id: str
    pci: str
    cores: int


@dataclass(frozen=True, slots=True)
class Compute:
    """One process on one GPU. percent: of the GPU's compute units in use at this moment."""

    memory_bytes: Count
    percent: Quantity


@dataclass(frozen=True, slots=True)
class _Files:
    """Where KFD tells of one process on one GPU."""

    node: Node
    memory: str
    cores: str


def nodes(sys_root: Path) -> list[Node]:
    """The GPUs that KFD knows; none where the kernel has no KFD, or this user's device cgroup hides them."""
    found: list[Node] = []
    for folder in sorted((sys_root / _NODES).glob("[0-9]*")):
        gpu_id, text = files.read_text(folder / "gpu_id"), files.read_text(folder / "properties")
        if isinstance(gpu_id, Missing) or isinstance(text, Missing) or gpu_id == "0":
            continue  # 0 is a CPU
        told = files.properties(text)
        if "location_id" in told:
            cores = told.get("simd_count", 0) // max(1, told.get("simd_per_cu", 1))
            found.append(Node(gpu_id, _pci(told.get("domain", 0), told["location_id"]), cores))
    return found


def lists_processes(sys_root: Path) -> bool:
    """Whether this kernel's KFD names its processes."""
    return (sys_root / _PROC).is_dir()


class KfdReader:
    """Reads KFD's processes. For one thread. Where a process's files are is remembered: they go when it ends."""

    def __init__(self, sys_root: Path) -> None:
        self._sys = sys_root
        self._proc = str(sys_root / _PROC)
        self._nodes: list[Node] = []
        self._files: dict[str, list[_Files]] = {}

    def open(self) -> None:
        """Look which GPUs KFD knows. To be called again when a GPU came or went."""
        self._nodes = nodes(self._sys)
        self._files = {}

    def read(self) -> Mapping[tuple[int, str], Compute]:
        """By pid in the initial pid namespace, and PCI address. What ends while it is read is left out.

        ROCm opens all GPUs that it may: one without a byte of a process and without work for it is left out too.
        """
        try:
            names = [name for name in os.listdir(self._proc) if name.isascii() and name.isdigit()]
        except OSError:
            return {}
        self._files = {name: self._known(name) for name in names}
        found: dict[tuple[int, str], Compute] = {}
        for name in names:
            for one in self._files[name]:
                memory = files.read_number(one.memory)
                percent = _percent(one)
                if not isinstance(memory, Missing) and (memory or percent):
                    found[int(name), one.node.pci] = Compute(memory, percent)
        return found

    def _known(self, name: str) -> list[_Files]:
        """Looked for again where some are lacking: a process that has just begun gets them one by one."""
        known = self._files.get(name, [])
        return known if len(known) == len(self._nodes) else self._files_of(name)

    def _files_of(self, name: str) -> list[_Files]:
        try:
            there = set(os.listdir(f"{self._proc}/{name}"))
        except OSError:
            return []
        return [
            _Files(node, f"{self._proc}/{name}/vram_{node.gpu_id}", f"{self._proc}/{name}/stats_{node.gpu_id}/{_CORES}")
            for node in self._nodes
            if f"vram_{node.gpu_id}" in there
        ]


def _percent(one: _Files) -> Quantity:
    cores = files.read_number(one.cores)
    if isinstance(cores, Missing) or not one.node.cores:
        return QUEUES_UNTOLD
    return min(100.0, cores / one.node.cores * 100)


def _pci(domain: int, location: int) -> str:
    """location: bus, device and function in 16 bits, as PCI counts them; partitions of one GPU use higher bits."""
    return f"{domain:04x}:{location >> 8 & 0xFF:02x}:{location >> 3 & 0x1F:02x}.{location & 0x7}"
