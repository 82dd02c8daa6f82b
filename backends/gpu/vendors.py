"""GPUs that the kernel's DRM tree shows and this version cannot read. May not touch any driver's library."""

from __future__ import annotations

from pathlib import Path

# PCI vendor id of AMD (pci-ids.ucw.cz). NVIDIA's cards have a probe; Intel's are in most laptops and not for computing.
_AMD = "0x1002"
_NOTICE = "AMD GPU found; readings come with a later version"


def other_vendors_text(drm_root: Path = Path("/sys/class/drm")) -> str:
    """One sentence on cards that are in the machine and cannot be read yet, "" where there are none."""
    for vendor_file in sorted(drm_root.glob("card[0-9]*/device/vendor")):
        try:
            vendor = vendor_file.read_text("ascii", "replace").strip()
        except OSError:
            continue  # the device went away while we looked
        if vendor == _AMD:
            return _NOTICE
    return ""
