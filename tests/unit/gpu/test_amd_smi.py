"""AMD's library beside the kernel's files, against a double with the functions that its reference documents."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backends.gpu.amd import AmdProbe
from backends.gpu.amd_card import Fast
from backends.gpu.amd_smi import AmdSmi
from backends.model.values import Missing
from tests.unit.gpu.amd_tree import GIB, AmdMachine
from tests.unit.gpu.test_amd import FIRST, SECOND, StillLink

NO = Missing("no file")


class Amdsmi:
    """Answers as "AMD SMI Python API reference" shows them; "N/A" is the library's word for what it has not."""

    class AmdSmiException(Exception):
        """The root of the library's exceptions."""

    def __init__(self) -> None:
        self.opened = 0
        self.refuse: set[str] = set()
        self.activity: dict[str, object] = {"gfx_activity": 44, "umc_activity": "N/A", "mm_activity": 0}

    def amdsmi_init(self) -> None:
        self._check("init")
        self.opened += 1

    def amdsmi_shut_down(self) -> None:
        self.opened -= 1
        self._check("shut_down")

    def amdsmi_get_processor_handles(self) -> list[object]:
        self._check("handles")
        return ["handle"]

    def amdsmi_get_gpu_device_bdf(self, _: object) -> str:
        self._check("bdf")
        return FIRST.upper()

    def amdsmi_get_gpu_asic_info(self, _: object) -> dict[str, object]:
        self._check("asic")
        return {"market_name": "AMD Instinct MI300X", "vendor_id": 0x1002}

    def amdsmi_get_gpu_activity(self, _: object) -> dict[str, object]:
        self._check("activity")
        return self.activity

    def amdsmi_get_gpu_vram_usage(self, _: object) -> dict[str, object]:
        self._check("vram")
        return {"vram_total": 65536, "vram_used": 1024}

    def _check(self, what: str) -> None:
        if what in self.refuse:
            raise self.AmdSmiException(what)


def opened(library: Amdsmi) -> AmdSmi:
    smi = AmdSmi(lambda: library)
    smi.open()
    return smi


def test_what_files_lack_is_filled_and_what_they_have_stays() -> None:
    smi = opened(Amdsmi())
    assert smi.name(FIRST) == "AMD Instinct MI300X"
    assert smi.filled(FIRST, Fast(NO, NO, NO)) == Fast(44.0, NO, GIB)
    assert smi.filled(FIRST, Fast(1.0, 2.0, 3)) == Fast(1.0, 2.0, 3)
    assert (smi.memory_total_bytes(FIRST, NO), smi.memory_total_bytes(FIRST, 7)) == (64 * GIB, 7)


def test_a_card_that_it_does_not_know_stays_as_it_was() -> None:
    smi = opened(Amdsmi())
    assert smi.name(SECOND) == ""
    assert smi.filled(SECOND, Fast(NO, NO, NO)) == Fast(NO, NO, NO)


@pytest.mark.parametrize(
    ("what", "name", "filled"),
    [
        ("init", "", Fast(NO, NO, NO)),
        ("handles", "", Fast(NO, NO, NO)),
        ("bdf", "", Fast(NO, NO, NO)),
        ("asic", "", Fast(44.0, NO, GIB)),
        ("activity", "AMD Instinct MI300X", Fast(NO, NO, GIB)),
        ("vram", "AMD Instinct MI300X", Fast(44.0, NO, NO)),
        ("shut_down", "AMD Instinct MI300X", Fast(44.0, NO, GIB)),
    ],
)
def test_whatever_it_refuses_stays_as_it_was(what: str, name: str, filled: Fast) -> None:
    library = Amdsmi()
    library.refuse = {what}
    smi = opened(library)
    assert (smi.name(FIRST), smi.filled(FIRST, Fast(NO, NO, NO))) == (name, filled)
    smi.close()
    smi.close()
    assert library.opened == 0


def raising(error: Exception) -> Callable[[], Any]:
    def library() -> Any:
        raise error

    return library


@pytest.mark.parametrize("error", [ImportError("no module"), OSError("libamd_smi.so"), KeyError("ROCM_PATH")])
def test_a_library_that_is_not_there_or_broken_is_no_failure(error: Exception) -> None:
    smi = AmdSmi(raising(error))
    smi.open()
    assert smi.name(FIRST) == ""


def test_a_guest_without_the_kernels_files_is_read_by_the_library(tmp_path: Path) -> None:
    machine = AmdMachine(tmp_path)
    machine.card(0, FIRST)
    for name in ("product_name", "gpu_busy_percent", "mem_info_vram_used", "mem_info_vram_total"):
        machine.set(FIRST, name, None)
    library = Amdsmi()
    probe = AmdProbe(root=tmp_path, smi=AmdSmi(lambda: library), link=StillLink())
    probe.open()
    (reading,) = probe.sample().readings
    assert reading.device.name == "AMD Instinct MI300X"
    assert (reading.gpu_percent, reading.memory_used_bytes, reading.memory_percent) == (44.0, GIB, 100 / 64)
    probe.close()
    assert library.opened == 0
