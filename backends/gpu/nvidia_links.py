"""How pairs of NVIDIA devices reach each other, asked once when the driver is opened. Changes nothing.

Source: nvml.h, nvmlGpuTopologyLevel_t, nvmlGpuP2PStatus_t, nvmlGpuP2PCapsIndex_t.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from backends.gpu.nvidia_driver import DeviceLost, Driver
from backends.model.gpu import GpuLink
from backends.model.values import Missing

MOST_DEVICES = 16
"""Pairs of more are not asked for: each takes two calls, and machines of more have a fabric in which all are equal."""

_READ, _NVLINK, _OK = 0, 2, 0  # pynvml's own constant of the first is a tuple by mistake
_LEVELS = {
    0: "the same board",
    10: "one PCIe switch",
    20: "several PCIe switches",
    30: "one PCIe host bridge",
    40: "one CPU",
    50: "the link between CPUs",
}
_STATUS = {
    1: "the chipset does not support it",
    2: "the GPU does not support it",
    3: "the path between them does not support it",
    4: "it is switched off in the driver's registry",
    5: "it is not supported",
}


def read_links(driver: Driver, devices: Sequence[tuple[int, Any]]) -> tuple[GpuLink, ...]:
    """All pairs. devices: index and handle; a pair of which the driver tells nothing is left out."""
    found = []
    for (first, one), (second, other) in combinations(devices[:MOST_DEVICES], 2):
        try:
            link = _link(driver, (first, one), (second, other))
        except DeviceLost:
            continue  # its reading says so
        if link is not None:
            found.append(link)
    return tuple(found)


def _link(driver: Driver, one: tuple[int, Any], other: tuple[int, Any]) -> GpuLink | None:
    nvml = driver.nvml
    level = driver.number(nvml.nvmlDeviceGetTopologyCommonAncestor, one[1], other[1])
    peer = driver.number(nvml.nvmlDeviceGetP2PStatus, one[1], other[1], _READ)
    if isinstance(peer, Missing):
        return None
    nvlink = driver.number(nvml.nvmlDeviceGetP2PStatus, one[1], other[1], _NVLINK)
    over = "" if isinstance(level, Missing) else _LEVELS.get(level, "")
    refused = "" if peer == _OK else _STATUS.get(peer, "the driver does not say why")
    return GpuLink(one[0], other[0], over, refused, nvlink == _OK)


__all__ = ["MOST_DEVICES", "read_links"]
