"""The texts of amdgpu's files, read and understood: sysfs, hwmon, fdinfo, KFD. Pure but for `read`. Asks no library.

Sources of the formats, in the kernel's tree: Documentation/gpu/amdgpu/thermal.rst and driver-misc.rst (their text
stands in drivers/gpu/drm/amd/pm/amdgpu_pm.c and amdgpu/*.c), Documentation/gpu/amdgpu/ras.rst,
Documentation/gpu/drm-usage-stats.rst, Documentation/hwmon/sysfs-interface.rst.
"""

from __future__ import annotations

import errno
import os
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from backends.model.values import Count, Missing, Quantity

NOT_TOLD = Missing("the driver does not tell it for this GPU")
NO_LEAVE = Missing("no permission to read it")
REFUSED = Missing("the driver refuses it now; a GPU that is being reset does that")
LOST = Missing("the GPU is gone")

GONE = frozenset({errno.ENODEV, errno.ENXIO})
"""What a file answers whose device went away while it was open."""

_REASONS = {
    errno.ENOENT: NOT_TOLD,
    errno.ENOTDIR: NOT_TOLD,
    errno.EOPNOTSUPP: NOT_TOLD,
    errno.EINVAL: NOT_TOLD,
    errno.ENODATA: NOT_TOLD,
    errno.EACCES: NO_LEAVE,
    errno.EPERM: REFUSED,
    errno.EBUSY: REFUSED,
    **dict.fromkeys(GONE, LOST),
}
_LIMIT_BYTES = 64 * 1024
_UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20}  # drm-usage-stats.rst: "[KiB|MiB]", bytes without
_MEMORY = re.compile(r"(\d+)(?:\s+(KiB|MiB))?")
_LEVEL = re.compile(r"^\s*\w+:\s*(\d+)\s*[Mm][Hh]z\s*(\*?)", re.MULTILINE)
_ERRORS = re.compile(r"^\s*(ue|ce):\s*(\d+)", re.MULTILINE)
_RETIRED = re.compile(r"^\s*0x[0-9a-fA-F]+\s*:\s*0x[0-9a-fA-F]+\s*:\s*R\s*$", re.MULTILINE)

_METRICS_1_3 = (120, 1, 3)
_THROTTLE_AT = 112
# Sources: struct gpu_metrics_v1_3 in drivers/gpu/drm/amd/include/kgd_pp_interface.h; SMU_THROTTLER_…_BIT in
# drivers/gpu/drm/amd/pm/swsmu/inc/amdgpu_smu.h: bits 0-15 power, 16-31 current, 32-47 temperature, then others.
_THROTTLE = (
    (0x0000_0000_0000_FFFF, "power limit"),
    (0x0000_0000_FFFF_0000, "current limit"),
    (0x0000_FFFF_0000_0000, "too hot"),
    (0xFFFF_0000_0000_0000, "limit of the firmware"),
)


def read(path: Path | str) -> bytes | Missing:
    """The file's first 64 KiB, or why there is none."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.read(fd, _LIMIT_BYTES)
        finally:
            os.close(fd)
    except OSError as error:
        return _REASONS.get(error.errno or 0, Missing(os.strerror(error.errno or 0)))


def read_text(path: Path | str) -> str | Missing:
    """The file's text without the white space around it, or why there is none."""
    found = read(path)
    return found if isinstance(found, Missing) else found.decode("utf-8", "replace").strip()


def read_number(path: Path | str) -> Count:
    """A file that holds one whole number, as nearly all of sysfs does."""
    found = read(path)
    if isinstance(found, Missing):
        return found
    try:
        return int(found)
    except ValueError:
        return Missing("the driver's answer is no number")


def scaled(value: Count, divisor: float) -> Quantity:
    """The number in other units: millidegrees and microwatts are what hwmon counts in."""
    return value if isinstance(value, Missing) else value / divisor


def levels(text: str) -> tuple[Count, Count]:
    """MHz now and at most, of pp_dpm_sclk or pp_dpm_mclk ("1: 2400Mhz *", the star marks the level in use)."""
    found = [(int(number), bool(star)) for number, star in _LEVEL.findall(text)]
    now = next((number for number, star in found if star), NOT_TOLD)
    return now, max((number for number, _ in found), default=NOT_TOLD)


def error_counts(text: str) -> tuple[int, int]:
    """Corrected and uncorrected errors of ras/BLOCK_err_count ("ue: 0", "ce: 1")."""
    counts = {"ce": 0, "ue": 0}
    for kind, number in _ERRORS.findall(text):
        counts[kind] += int(number)
    return counts["ce"], counts["ue"]


def retired_pages(text: str) -> int:
    """Pages that are reserved for good, of ras/gpu_vram_bad_pages ("0x…  : 0x00001000 : R"; P waits, F failed)."""
    return len(_RETIRED.findall(text))


def throttled(metrics: bytes) -> tuple[str, ...] | Missing:
    """Why the GPU is slowed down, of gpu_metrics in version 1.3 (RX 6000, RX 7000, MI200); others do not tell it so."""
    if len(metrics) < _METRICS_1_3[0] or struct.unpack_from("<HBB", metrics) != _METRICS_1_3:
        return NOT_TOLD
    (bits,) = struct.unpack_from("<Q", metrics, _THROTTLE_AT)
    if bits == 2**64 - 1:  # all ones: the driver's mark of a field that this GPU does not fill
        return NOT_TOLD
    return tuple(reason for mask, reason in _THROTTLE if bits & mask)


def link_bytes(text: str) -> tuple[Quantity, Quantity]:
    """Bytes per second towards the GPU and from it, of pcie_bw ("received sent max-payload", counted over a second).

    An upper bound: the driver counts packets, not all of which are full.
    """
    numbers = text.split()
    if len(numbers) != 3 or not all(number.isascii() and number.isdigit() for number in numbers):
        return NOT_TOLD, NOT_TOLD
    received, sent, payload = (int(number) for number in numbers)
    return float(received * payload), float(sent * payload)


def properties(text: str) -> Mapping[str, int]:
    """Numbers of /sys/class/kfd/kfd/topology/nodes/N/properties ("drm_render_minor 128"); other lines are left out."""
    pairs = (line.split() for line in text.splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isascii() and pair[1].isdigit()}


@dataclass(frozen=True, slots=True)
class DrmClient:
    """One open of a GPU by a process, as its fdinfo tells. pci: "0000:03:00.0". engine_ns: busy time since the open.

    vram_bytes: Missing where this kernel does not tell it.
    """

    driver: str
    pci: str
    client_id: str
    vram_bytes: Count
    engine_ns: Mapping[str, int] = field(default_factory=dict)


def drm_client(text: str) -> DrmClient | None:
    """What /proc/PID/fdinfo/FD says of a GPU's client; None where the descriptor is none, or tells no id."""
    values = _values(text)
    driver, client_id = values.get("drm-driver", ""), values.get("drm-client-id", "")
    if not driver or not client_id:
        return None
    engines: dict[str, int] = {}
    for key, value in values.items():
        number = value.partition(" ")[0]
        if key.startswith("drm-engine-") and not key.startswith("drm-engine-capacity-") and _is_number(number):
            engines[key.removeprefix("drm-engine-")] = int(number)
    return DrmClient(driver, values.get("drm-pdev", ""), client_id, _vram(values), engines)


def _values(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.splitlines() if line.startswith("drm-"))
    return {key.strip(): value.strip() for key, _, value in pairs}


def _vram(values: Mapping[str, str]) -> Count:
    """What lies in the GPU's memory now. drm-memory is the older name of drm-resident; total is what was asked for."""
    for key in ("drm-resident-vram", "drm-memory-vram", "drm-total-vram"):
        match = _MEMORY.fullmatch(values.get(key, ""))
        if match and match[1].isascii():
            return int(match[1]) * _UNITS[match[2] or ""]
    return Missing("this kernel does not tell a process's memory")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()
