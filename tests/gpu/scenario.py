"""Texts that the fake NVML library answers from (see fake_nvml.c): whole devices, and what a test changes in them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

GIB = 1 << 30
DRIVER, CUDA = "550.54.15", 12040
NOT_SUPPORTED, NO_PERMISSION, NOT_FOUND, LOST, RESET_REQUIRED, MISMATCH = 3, 4, 6, 15, 16, 18

# An H100 at work. Its fans are the chassis's: the driver has no value for them. "pcie_ms": tests do not wait.
H100: Mapping[str, int] = {
    "memory_total": 80 * GIB,
    "memory_reserved": 600 << 20,
    "memory_used": 20 * GIB,
    "gpu_percent": 40,
    "memory_busy_percent": 7,
    "encoder_percent": 3,
    "decoder_percent": 4,
    "temperature": 61,
    "slowdown": 89,
    "shutdown": 94,
    "power_mw": 312_500,
    "power_limit_mw": 700_000,
    "sm_mhz": 1755,
    "sm_max_mhz": 1980,
    "memory_mhz": 2619,
    "memory_max_mhz": 2619,
    "reasons": 0,
    "ecc_corrected": 2,
    "ecc_uncorrected": 0,
    "remapped_corrected": 1,
    "remapped_uncorrected": 2,
    "persistence": 1,
    "compute_mode": 0,
    "pcie_tx_kib": 2048,
    "pcie_rx_kib": 4096,
    "pcie_ms": 0,
}


@dataclass
class Gpu:
    """One device of a scenario. values: by the keys of fake_nvml.c; lines: processes, samples, MIG instances."""

    index: int
    name: str = "NVIDIA H100 80GB HBM3"
    values: dict[str, int] = field(default_factory=lambda: dict(H100))
    lines: list[str] = field(default_factory=list)
    fails: dict[str, int] = field(default_factory=dict)
    given_uuid: str = ""
    pci: str = ""

    @property
    def uuid(self) -> str:
        """As the driver writes it."""
        return self.given_uuid or f"GPU-fa4e0000-0000-4000-8000-{self.index:012d}"

    def mig_uuid(self, index: int) -> str:
        """Of its MIG instance."""
        return f"MIG-fa4e0000-0000-4000-8000-{self.index:08d}{index:04d}"

    def process(
        self,
        pid: int,
        memory: int | None,
        sm: int | None = 0,
        *,
        kind: str = "compute",
        instance: tuple[int, int] | None = None,
    ) -> None:
        """memory: bytes; None where the driver does not tell. sm: percent; None: the driver never saw it compute."""
        told = "-" if memory is None else memory
        where = "" if instance is None else f" {instance[0]} {instance[1]}"
        self.lines.append(f"process {pid} {kind} {told} {'-' if sm is None else sm}{where}")

    def sample(self, pid: int, sm: int, at_us: int) -> None:
        """One entry of the driver's history of use."""
        self.lines.append(f"sample {pid} {sm} {at_us}")

    def mig(
        self, index: int, instance: tuple[int, int], total: int, used: int, profile: str = "1g.10gb", *, uuid: str = ""
    ) -> None:
        """A MIG instance (GPU instance, compute instance) of the device; turns MIG on."""
        self.values["mig_mode"] = 1
        place = f"{instance[0]} {instance[1]}"
        self.lines.append(
            f"mig {index} {uuid or self.mig_uuid(index)} {place} {total} {1 << 20} {used} {self.name} MIG {profile}"
        )

    def text(self) -> Iterable[str]:
        """Its lines."""
        pci = self.pci or f"00000000:{self.index + 1:02X}:00.0"
        yield from ("gpu", f"name {self.name}", f"uuid {self.uuid}", f"pci {pci}")
        yield from (f"{key} {value}" for key, value in self.values.items())
        yield from self.lines
        yield from (f"fail {function} {code}" for function, code in self.fails.items())


@dataclass
class Scenario:
    """A machine. fails: function → code, for all devices."""

    path: Path
    gpus: list[Gpu] = field(default_factory=list)
    fails: dict[str, int] = field(default_factory=dict)
    driver: str = DRIVER

    def write(self) -> None:
        """Put the text in place at once: a call of the library sees the old one or the new one."""
        head = [f"driver {self.driver}", f"cuda {CUDA}", *(f"fail {name} {code}" for name, code in self.fails.items())]
        text = "\n".join([*head, *(line for gpu in self.gpus for line in gpu.text())])
        new = self.path.with_name(f".{self.path.name}.new")
        new.write_text(text + "\n")
        os.replace(new, self.path)


def machine(path: Path, count: int, pids: Iterable[int] = ()) -> Scenario:
    """`count` devices at work, the pids spread over them."""
    made = Scenario(path, [Gpu(index) for index in range(count)])
    for place, pid in enumerate(pids):
        gpu = made.gpus[place % count]
        gpu.process(pid, (4 + place) * GIB, 35)
    return made


def with_mig(path: Path, pids: Iterable[int] = ()) -> Scenario:
    """Two devices, the second one cut into two MIG instances; the pids spread over all three."""
    made = Scenario(path, [Gpu(0), Gpu(1)])
    for index, instance in enumerate([(7, 0), (9, 0)]):
        made.gpus[1].mig(index, instance, 10 * GIB, (2 + index) * GIB)
    for place, pid in enumerate(pids):
        if place % 3 == 0:
            made.gpus[0].process(pid, 5 * GIB, 35)
        else:
            made.gpus[1].process(pid, GIB, None, instance=(7, 0) if place % 3 == 1 else (9, 0))
    for key in ("gpu_percent", "memory_busy_percent", "encoder_percent", "decoder_percent"):
        del made.gpus[1].values[key]  # the driver does not tell them of a device in MIG mode
    return made
