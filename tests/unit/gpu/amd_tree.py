"""A machine with AMD GPUs as files (sysfs, KFD, /proc) in the kernel's own layout, for tests that write and change it.

Layouts: Documentation/gpu/amdgpu/thermal.rst and driver-misc.rst (device folder and hwmon), ras.rst (ras/),
Documentation/gpu/drm-usage-stats.rst (fdinfo), drivers/gpu/drm/amd/amdkfd/kfd_process.c and kfd_topology.c (KFD).
"""

from __future__ import annotations

import os
import shutil
import struct
from collections.abc import Mapping
from pathlib import Path

GIB = 1 << 30

# As drm-usage-stats.rst has it, written by amdgpu_fdinfo.c of Linux 6.8; the units and tabs are the kernel's.
FDINFO = """pos:\t0
flags:\t02100002
mnt_id:\t27
ino:\t617
drm-driver:\tamdgpu
drm-client-id:\t{client}
drm-pdev:\t{pci}
pasid:\t32771
drm-memory-vram:\t{kib} KiB
drm-memory-gtt: \t1280 KiB
drm-memory-cpu: \t0 KiB
amd-memory-visible-vram:\t64 KiB
drm-engine-gfx:\t{gfx} ns
drm-engine-compute:\t{compute} ns
drm-engine-dma:\t999999999999 ns
"""


class AmdMachine:
    """root: to give to a probe."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in (
            "sys/class/drm",
            "sys/bus/pci/drivers/amdgpu",
            "sys/bus/pci/devices",
            "sys/module/amdgpu",
            "proc",
        ):
            (root / folder).mkdir(parents=True)

    def folder(self, pci: str) -> Path:
        return self.root / "sys/devices/pci0000:00" / pci

    def set(self, pci: str, name: str, text: str | bytes | None) -> None:
        """Write one file of a card; None removes it."""
        path = self.folder(pci) / name
        if text is None:
            path.unlink()
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def card(self, number: int, pci: str, *, unique_id: str = "a1b2c3d4e5f60718", driver: str = "amdgpu") -> None:
        """A server card that tells everything (an MI210's values)."""
        folder = self.folder(pci)
        folder.mkdir(parents=True)
        for name, text in self._files(unique_id).items():
            self.set(pci, name, text)
        if driver:
            (self.root / "sys/bus/pci/drivers" / driver).mkdir(exist_ok=True)
            (folder / "driver").symlink_to(f"../../../bus/pci/drivers/{driver}")
        drm = self.root / "sys/class/drm" / f"card{number}"
        drm.mkdir()
        (drm / "device").symlink_to(os.path.relpath(folder, drm))
        (self.root / "sys/bus/pci/devices" / pci).symlink_to(f"../../../devices/pci0000:00/{pci}")

    @staticmethod
    def _files(unique_id: str) -> Mapping[str, str | bytes]:
        return {
            "vendor": "0x1002\n",
            "device": "0x740f\n",
            "revision": "0x02\n",
            "class": "0x038000\n",
            "product_name": "AMD INSTINCT MI210\n",
            "unique_id": f"{unique_id}\n",
            "gpu_busy_percent": "37\n",
            "mem_busy_percent": "12\n",
            "mem_info_vram_total": f"{64 * GIB}\n",
            "mem_info_vram_used": f"{16 * GIB}\n",
            "pp_dpm_sclk": "0: 500Mhz\n1: 1200Mhz *\n2: 1700Mhz\n",
            "pp_dpm_mclk": "0: 400Mhz\n1: 1600Mhz *\n",
            "pcie_bw": "1000 2000 256\n",
            "power/runtime_status": "active\n",
            "ras/umc_err_count": "ue: 1\nce: 3\n",
            "ras/gfx_err_count": "ue: 0\nce: 2\n",
            "ras/gpu_vram_bad_pages": "0x027f5d43 : 0x00001000 : R\n0x027f5d4b : 0x00001000 : P\n",
            "gpu_metrics": metrics(1 << 0 | 1 << 36),
            "hwmon/hwmon5/temp1_label": "edge\n",
            "hwmon/hwmon5/temp1_input": "41000\n",
            "hwmon/hwmon5/temp2_label": "junction\n",
            "hwmon/hwmon5/temp2_input": "52000\n",
            "hwmon/hwmon5/temp2_crit": "105000\n",
            "hwmon/hwmon5/temp2_emergency": "110000\n",
            "hwmon/hwmon5/temp3_label": "mem\n",
            "hwmon/hwmon5/temp3_input": "60000\n",
            "hwmon/hwmon5/power1_average": "95000000\n",
            "hwmon/hwmon5/power1_cap": "300000000\n",
            "hwmon/hwmon5/pwm1": "51\n",
        }

    def remove(self, number: int, pci: str) -> None:
        """The card is pulled, or its driver lets it go: the kernel shows nothing of it any more."""
        shutil.rmtree(self.root / "sys/class/drm" / f"card{number}")
        (self.root / "sys/bus/pci/devices" / pci).unlink()
        shutil.rmtree(self.folder(pci))

    def kfd_node(self, node: int, gpu_id: str, location_id: int, simds: int = 416) -> None:
        """A node of KFD's topology; gpu_id "0" is a CPU."""
        folder = self.root / "sys/class/kfd/kfd/topology/nodes" / str(node)
        folder.mkdir(parents=True)
        (folder / "gpu_id").write_text(f"{gpu_id}\n")
        lines = f"cpu_cores_count 0\nsimd_count {simds}\nsimd_per_cu 4\nlocation_id {location_id}\ndomain 0\n"
        (folder / "properties").write_text(lines)
        (self.root / "sys/class/kfd/kfd/proc").mkdir(exist_ok=True)

    def kfd_process(self, pid: int, gpu_id: str, memory: int, cores: int | None) -> None:
        """A ROCm process. cores: compute units in use, None where the driver has no such file."""
        folder = self.root / "sys/class/kfd/kfd/proc" / str(pid)
        (folder / f"stats_{gpu_id}").mkdir(parents=True, exist_ok=True)
        (folder / f"vram_{gpu_id}").write_text(f"{memory}\n")
        (folder / f"sdma_{gpu_id}").write_text("123456\n")
        if cores is not None:
            (folder / f"stats_{gpu_id}" / "cu_occupancy").write_text(f"{cores}\n")

    def process(self, pid: int, *, others: int = 3) -> None:
        """A process with descriptors that are no GPU's."""
        for folder in ("fd", "fdinfo"):
            (self.root / "proc" / str(pid) / folder).mkdir(parents=True, exist_ok=True)
        for number in range(others):
            self._descriptor(pid, number, "/dev/null", "pos:\t0\nflags:\t02\n")

    def client(
        self, pid: int, fd: int, pci: str, client: int, *, kib: int = 1024, gfx: int = 0, compute: int = 0
    ) -> None:
        """A descriptor of a GPU; written anew when it is there."""
        text = FDINFO.format(client=client, pci=pci, kib=kib, gfx=gfx, compute=compute)
        self._descriptor(pid, fd, "/dev/dri/renderD128", text)

    def end(self, pid: int) -> None:
        shutil.rmtree(self.root / "proc" / str(pid))

    def _descriptor(self, pid: int, fd: int, target: str, info: str) -> None:
        link = self.root / "proc" / str(pid) / "fd" / str(fd)
        if not link.is_symlink():
            link.symlink_to(target)
        (self.root / "proc" / str(pid) / "fdinfo" / str(fd)).write_text(info)


def metrics(throttle: int, *, content: int = 3) -> bytes:
    """gpu_metrics of version 1.3: only the header and the last field (indep_throttle_status) are filled."""
    return struct.pack("<HBB", 120, 1, content) + bytes(108) + struct.pack("<Q", throttle)
