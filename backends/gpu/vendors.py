"""GPUs that the kernel's DRM tree shows and this version cannot read. May not touch any driver's library."""

from __future__ import annotations

from pathlib import Path

# PCI vendor ids (pci-ids.ucw.cz) of those that make GPUs for computing. NVIDIA's has a probe of its own.
_VENDORS = {"0x1002": "AMD", "0x8086": "Intel"}


def other_vendors(drm_root: Path = Path("/sys/class/drm")) -> tuple[str, ...]:
    """Names of the makers of cards that are in the machine and cannot be read yet, each once."""
    found: set[str] = set()
    for vendor_file in drm_root.glob("card[0-9]*/device/vendor"):
        try:
            found.add(_VENDORS.get(vendor_file.read_text("ascii", "replace").strip(), ""))
        except OSError:
            continue  # the device went away while we looked
    return tuple(sorted(found - {""}))


def other_vendors_text(drm_root: Path = Path("/sys/class/drm")) -> str:
    """One sentence on them, "" where there are none."""
    found = other_vendors(drm_root)
    return f"{' and '.join(found)} GPU found; readings come with a later version" if found else ""
