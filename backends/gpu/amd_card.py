"""One AMD GPU by the files of its driver amdgpu: what it is, and how it does. Knows no process. Changes no setting.

Sources of the files and their units: Documentation/gpu/amdgpu/thermal.rst (hwmon, pp_dpm_*, *_busy_percent,
gpu_metrics), Documentation/gpu/amdgpu/driver-misc.rst (product_name, unique_id, mem_info_*, pcie_bw),
Documentation/gpu/amdgpu/ras.rst (ras/*), Documentation/ABI/testing/sysfs-devices-power (power/runtime_status).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from backends.gpu import amd_files as files
from backends.model.gpu import GpuClocks, GpuDevice, GpuHealth
from backends.model.values import NOT_SAMPLED, Count, Missing, Quantity

VENDOR_ID = "0x1002"
"""AMD's PCI vendor id. Source: pci-ids.ucw.cz."""

DRIVER = "amdgpu"
MARKETING_NAMES = Path("usr/share/libdrm/amdgpu.ids")
"""libdrm's list "DEVICE,\\tREVISION,\\tNAME" in hex without 0x; lines that begin with # are comments."""

ONLY_NVIDIA = Missing("AMD's driver has no such setting")
VIDEO_UNTOLD = Missing("the driver does not tell encoding and decoding apart")
KEPT_UNTOLD = Missing("the driver does not tell what it keeps for itself")

# The junction is the hottest point, and what the driver slows the GPU down by; some cards only tell the edge.
_SENSORS = ("junction", "edge")
_SENSORS_AT_MOST = 8  # hwmon numbers them from 1; amdgpu has three
_PWM_MAX = 255  # Documentation/hwmon/sysfs-interface.rst: "Pulse width modulation … 0 to 255"


@dataclass(frozen=True, slots=True)
class Fast:
    """What changes from moment to moment."""

    gpu_percent: Quantity
    memory_busy_percent: Quantity
    memory_used_bytes: Count


@dataclass(frozen=True, slots=True)
class Slow:
    """What changes slowly."""

    temperature_c: Quantity = NOT_SAMPLED
    power_w: Quantity = NOT_SAMPLED
    power_limit_w: Quantity = NOT_SAMPLED
    fan_percent: Quantity = NOT_SAMPLED
    clocks: GpuClocks = field(default_factory=GpuClocks)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a card's files are. folder: the PCI device's. pci: its address, "0000:03:00.0". driver: "" for none."""

    folder: Path
    pci: str
    driver: str


def places(sys_root: Path) -> list[Place]:
    """AMD's cards that the kernel shows now, by PCI address; also those that another driver runs."""
    found: list[Place] = []
    for vendor_file in sorted((sys_root / "class/drm").glob("card[0-9]*/device/vendor")):
        if "-" in vendor_file.parent.parent.name or files.read_text(vendor_file) != VENDOR_ID:
            continue  # card0-DP-1 is a socket for a screen
        folder = vendor_file.parent.resolve()
        found.append(Place(folder, folder.name, _driver(folder)))
    return sorted(found, key=lambda place: place.pci)


def not_shown(sys_root: Path) -> list[Place]:
    """AMD's display (class 03) and accelerator (12) devices that no DRM driver runs. Source of classes: pci-ids."""
    found: list[Place] = []
    for vendor_file in sorted((sys_root / "bus/pci/devices").glob("*/vendor")):
        folder = vendor_file.parent
        kind = files.read_text(folder / "class")
        if files.read_text(vendor_file) != VENDOR_ID or isinstance(kind, Missing) or (folder / "drm").exists():
            continue
        if kind.startswith(("0x03", "0x12")):
            found.append(Place(folder, folder.name, _driver(folder)))
    return found


def describe(place: Place, index: int, names: Path, told: str = "") -> GpuDevice:
    """The card. names: libdrm's file of marketing names. told: a name that a library knows, "" for none.

    uuid: "GPU-" and the kernel's unique_id, as ROCR_VISIBLE_DEVICES takes it; the PCI address where there is none.
    """
    unique = files.read_text(place.folder / "unique_id")
    hwmon = _hwmon(place.folder)
    sensor = _sensor(hwmon)
    return GpuDevice(
        index=index,
        uuid=f"GPU-{unique}" if isinstance(unique, str) and unique else place.pci,
        name=_name(place.folder, names, told),
        vendor="AMD",
        pci_bus_id=place.pci,
        memory_total_bytes=files.read_number(place.folder / "mem_info_vram_total"),
        slowdown_c=files.scaled(files.read_number(hwmon / f"temp{sensor}_crit"), 1000),
        shutdown_c=files.scaled(files.read_number(hwmon / f"temp{sensor}_emergency"), 1000),
    )


def is_there(place: Place) -> bool:
    """Whether the kernel still shows the card, run by amdgpu."""
    return files.read_text(place.folder / "vendor") == VENDOR_ID and _driver(place.folder) == DRIVER


def sleeps(place: Place) -> bool:
    """Whether the card is powered down. Reading its sensors would wake it on older kernels: then nothing is read."""
    return files.read_text(place.folder / "power/runtime_status") == "suspended"


def fast(place: Place) -> Fast:
    """Read what changes from moment to moment."""
    folder = place.folder
    return Fast(
        gpu_percent=files.scaled(files.read_number(folder / "gpu_busy_percent"), 1),
        memory_busy_percent=files.scaled(files.read_number(folder / "mem_busy_percent"), 1),
        memory_used_bytes=files.read_number(folder / "mem_info_vram_used"),
    )


def slow(place: Place) -> Slow:
    """Read what changes slowly. hwmon counts millidegrees and microwatts."""
    hwmon = _hwmon(place.folder)
    power = files.read_number(hwmon / "power1_average")
    if isinstance(power, Missing):
        power = files.read_number(hwmon / "power1_input")
    return Slow(
        temperature_c=files.scaled(files.read_number(hwmon / f"temp{_sensor(hwmon)}_input"), 1000),
        power_w=files.scaled(power, 1_000_000),
        power_limit_w=files.scaled(files.read_number(hwmon / "power1_cap"), 1_000_000),
        fan_percent=_fan(hwmon),
        clocks=_clocks(place.folder),
    )


def health(place: Place) -> GpuHealth:
    """Errors of all blocks since the driver was loaded, and pages that are not used any more."""
    corrected, uncorrected = _errors(place.folder / "ras")
    pages = files.read_text(place.folder / "ras/gpu_vram_bad_pages")
    return GpuHealth(
        ecc_corrected=corrected,
        ecc_uncorrected=uncorrected,
        retired_pages=pages if isinstance(pages, Missing) else files.retired_pages(pages),
        persistence=ONLY_NVIDIA,
        compute_mode=ONLY_NVIDIA,
    )


def _driver(folder: Path) -> str:
    link = folder / "driver"
    return link.resolve().name if link.exists() else ""


def _hwmon(folder: Path) -> Path:
    """The folder of sensors; its number is given anew each time the driver is loaded."""
    return next(iter(sorted((folder / "hwmon").glob("hwmon[0-9]*"))), folder / "hwmon")


def _sensor(hwmon: Path) -> int:
    """The number of the sensor that stands for the GPU's temperature."""
    labels = {files.read_text(hwmon / f"temp{number}_label"): number for number in range(1, _SENSORS_AT_MOST)}
    return next((labels[name] for name in _SENSORS if name in labels), 1)


def _fan(hwmon: Path) -> Quantity:
    pulse = files.read_number(hwmon / "pwm1")
    if not isinstance(pulse, Missing):
        return pulse / _PWM_MAX * 100
    turns, most = files.read_number(hwmon / "fan1_input"), files.read_number(hwmon / "fan1_max")
    if isinstance(turns, Missing) or isinstance(most, Missing) or not most:
        return pulse
    return turns / most * 100


def _clocks(folder: Path) -> GpuClocks:
    (sm, sm_max), (memory, memory_max) = (_levels(folder / name) for name in ("pp_dpm_sclk", "pp_dpm_mclk"))
    metrics = files.read(folder / "gpu_metrics")
    why = metrics if isinstance(metrics, Missing) else files.throttled(metrics)
    return GpuClocks(sm, sm_max, memory, memory_max, why)


def _levels(path: Path) -> tuple[Count, Count]:
    text = files.read_text(path)
    return (text, text) if isinstance(text, Missing) else files.levels(text)


def _errors(folder: Path) -> tuple[Count, Count]:
    """Corrected and uncorrected, summed over the blocks; Missing where one refuses: a part would be read as all."""
    texts = [files.read_text(path) for path in sorted(folder.glob("*_err_count"))]
    refused = next((text for text in texts if isinstance(text, Missing)), None if texts else files.NOT_TOLD)
    if refused is not None:
        return refused, refused
    counts = [files.error_counts(text) for text in texts if isinstance(text, str)]
    return sum(corrected for corrected, _ in counts), sum(uncorrected for _, uncorrected in counts)


def _name(folder: Path, names: Path, told: str) -> str:
    product = files.read_text(folder / "product_name")
    if isinstance(product, str) and product:
        return product
    device, revision = (_hex(folder / name) for name in ("device", "revision"))
    return told or _marketing_name(names, device, revision) or f"AMD GPU {device}".strip()


def _hex(path: Path) -> str:
    text = files.read_text(path)
    return "" if isinstance(text, Missing) else text.removeprefix("0x").upper()


def _marketing_name(names: Path, device: str, revision: str) -> str:
    try:
        text = names.read_text("utf-8", "replace")
    except OSError:
        return ""  # libdrm is not installed: then the device has its number for a name
    for line in text.splitlines():
        parts = [part.strip() for part in line.split(",", 2)]
        if len(parts) == 3 and (parts[0].upper(), parts[1].upper()) == (device, revision):
            return parts[2]
    return ""
