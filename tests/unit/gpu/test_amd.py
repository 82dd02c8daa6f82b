"""The AMD probe over a tree of files that stands for a machine; never on a GPU."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from backends.gpu import amd
from backends.gpu import amd_files as files
from backends.gpu.amd import AmdProbe
from backends.gpu.amd_link import LinkReader
from backends.gpu.amd_smi import AmdSmi
from backends.gpu.hidden import HIDDEN_NOTE
from backends.gpu.probe import GpuAbsent, VendorAbsent
from backends.model.gpu import GpuReading
from backends.model.values import Missing
from tests.unit.gpu.amd_tree import GIB, AmdMachine

FIRST, SECOND = "0000:03:00.0", "0000:83:00.0"


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def absent_library() -> object:
    raise ImportError("No module named 'amdsmi'")


class StillLink(LinkReader):
    """Reads no link: most tests are not about PCIe."""

    def start(self, folders: object) -> None:
        """Nothing."""


@pytest.fixture
def machine(tmp_path: Path) -> AmdMachine:
    return AmdMachine(tmp_path)


def probe(machine: AmdMachine, clock: Clock | None = None) -> AmdProbe:
    return AmdProbe(root=machine.root, smi=AmdSmi(absent_library), link=StillLink(), clock=clock or Clock())


def first(one: AmdProbe) -> GpuReading:
    return one.sample().readings[0]


def test_all_values_of_a_card_that_tells_everything(machine: AmdMachine) -> None:
    machine.card(0, FIRST)
    one = probe(machine)
    one.open()
    reading = first(one)
    device = reading.device
    assert (device.index, device.uuid, device.name, device.vendor) == (
        0,
        "GPU-a1b2c3d4e5f60718",
        "AMD INSTINCT MI210",
        "AMD",
    )
    assert (device.pci_bus_id, device.memory_total_bytes) == (FIRST, 64 * GIB)
    assert (device.slowdown_c, device.shutdown_c) == (105.0, 110.0)
    assert (reading.gpu_percent, reading.memory_busy_percent) == (37.0, 12.0)
    assert (reading.memory_used_bytes, reading.memory_free_bytes, reading.memory_percent) == (16 * GIB, 48 * GIB, 25.0)
    assert (reading.temperature_c, reading.power_w, reading.power_limit_w, reading.fan_percent) == (
        52.0,
        95.0,
        300.0,
        20.0,
    )
    clocks, health = reading.clocks, reading.health
    assert (clocks.sm_mhz, clocks.sm_max_mhz, clocks.memory_mhz, clocks.memory_max_mhz) == (1200, 1700, 1600, 1600)
    assert clocks.throttled == ("power limit", "too hot")
    assert (health.ecc_corrected, health.ecc_uncorrected, health.retired_pages) == (5, 1, 1)
    assert (reading.condition, reading.processes, reading.processes_refused) == ("", (), "")


def test_two_cards_go_by_their_place_and_not_by_their_number(machine: AmdMachine) -> None:
    machine.card(0, SECOND, unique_id="2")
    machine.card(1, FIRST, unique_id="1")
    (machine.root / "sys/class/drm/card0-DP-1").mkdir()
    one = probe(machine)
    one.open()
    assert [(r.device.index, r.device.uuid, r.device.pci_bus_id) for r in one.sample().readings] == [
        (0, "GPU-1", FIRST),
        (1, "GPU-2", SECOND),
    ]


@pytest.mark.parametrize(
    ("file", "field"),
    [
        ("gpu_busy_percent", "gpu_percent"),
        ("mem_busy_percent", "memory_busy_percent"),
        ("mem_info_vram_used", "memory_used_bytes"),
        ("mem_info_vram_used", "memory_percent"),
        ("mem_info_vram_total", "memory_percent"),
        ("hwmon/hwmon5/temp2_input", "temperature_c"),
        ("hwmon/hwmon5/power1_average", "power_w"),
        ("hwmon/hwmon5/power1_cap", "power_limit_w"),
        ("hwmon/hwmon5/pwm1", "fan_percent"),
    ],
)
def test_a_value_that_a_card_refuses_is_missing_and_the_others_stay(machine: AmdMachine, file: str, field: str) -> None:
    machine.card(0, FIRST)
    machine.set(FIRST, file, None)
    one = probe(machine)
    one.open()
    reading = first(one)
    assert getattr(reading, field) == files.NOT_TOLD
    others = {"gpu_percent", "memory_busy_percent", "temperature_c", "power_w", "power_limit_w", "fan_percent"} - {
        field
    }
    assert not any(isinstance(getattr(reading, other), Missing) for other in others)


def test_a_plain_card_has_other_files_for_the_same_values(machine: AmdMachine) -> None:
    machine.card(0, FIRST)
    for name in (
        "product_name",
        "unique_id",
        "hwmon/hwmon5/temp2_label",
        "hwmon/hwmon5/power1_average",
        "hwmon/hwmon5/pwm1",
    ):
        machine.set(FIRST, name, None)
    machine.set(FIRST, "hwmon/hwmon5/power1_input", "33000000\n")
    machine.set(FIRST, "hwmon/hwmon5/fan1_input", "900\n")
    machine.set(FIRST, "hwmon/hwmon5/fan1_max", "3600\n")
    names = machine.root / "usr/share/libdrm/amdgpu.ids"
    names.parent.mkdir(parents=True)
    names.write_text("# List of AMDGPU IDs\n1.0.0\n740F,\t00,\tOther\n740F,\t02,\tAMD Radeon Example, Pro\n")
    one = probe(machine)
    one.open()
    reading = first(one)
    assert (reading.device.name, reading.device.uuid) == ("AMD Radeon Example, Pro", FIRST)
    assert (reading.temperature_c, reading.power_w, reading.fan_percent) == (41.0, 33.0, 25.0)


def test_a_name_that_nobody_knows_is_the_devices_number(machine: AmdMachine) -> None:
    machine.card(0, FIRST)
    machine.set(FIRST, "product_name", "\n")
    one = probe(machine)
    one.open()
    assert first(one).device.name == "AMD GPU 740F"


def test_one_block_that_refuses_its_errors_hides_the_sum(machine: AmdMachine) -> None:
    machine.card(0, FIRST)
    machine.set(FIRST, "ras/gfx_err_count", None)
    (machine.folder(FIRST) / "ras/gfx_err_count").symlink_to("nowhere")
    one = probe(machine)
    one.open()
    assert first(one).health.ecc_corrected == files.NOT_TOLD


def test_a_card_that_vanishes_says_so_and_is_read_again_when_it_comes_back(machine: AmdMachine) -> None:
    machine.card(0, FIRST, unique_id="1")
    machine.card(1, SECOND, unique_id="2")
    one = probe(machine)
    one.open()
    machine.remove(0, FIRST)
    gone, other = one.sample().readings
    assert (gone.device.uuid, gone.condition, gone.hint) == ("GPU-1", amd.GONE, amd.GONE_HINT)
    values = (
        gone.gpu_percent,
        gone.memory_used_bytes,
        gone.temperature_c,
        gone.clocks.sm_mhz,
        gone.health.ecc_corrected,
    )
    assert set(values) == {Missing("the GPU is gone")}
    assert (other.condition, other.gpu_percent) == ("", 37.0)
    machine.card(2, FIRST, unique_id="1")
    machine.set(FIRST, "gpu_busy_percent", "64\n")
    back, _ = one.sample().readings
    assert (back.device.index, back.condition, back.gpu_percent, back.temperature_c) == (0, "", 64.0, 52.0)


def test_a_card_that_comes_later_goes_behind_the_others(machine: AmdMachine) -> None:
    machine.card(0, SECOND, unique_id="2")
    clock = Clock()
    one = probe(machine, clock)
    one.open()
    machine.card(1, FIRST, unique_id="1")
    assert len(one.sample().readings) == 1
    clock.now += amd.SEARCH_S
    assert [(r.device.index, r.device.uuid) for r in one.sample().readings] == [(0, "GPU-2"), (1, "GPU-1")]


def test_a_sleeping_card_is_not_woken(machine: AmdMachine) -> None:
    machine.card(0, FIRST)
    one = probe(machine)
    one.open()
    machine.set(FIRST, "power/runtime_status", "suspended\n")
    reading = first(one)
    assert (reading.condition, reading.gpu_percent) == (amd.ASLEEP, Missing("the GPU sleeps"))
    machine.set(FIRST, "power/runtime_status", "active\n")
    assert first(one).gpu_percent == 37.0


def test_what_hardly_changes_is_read_seldom(machine: AmdMachine) -> None:
    machine.card(0, FIRST)
    clock = Clock()
    one = probe(machine, clock)
    one.open()
    assert first(one).temperature_c == 52.0
    machine.set(FIRST, "hwmon/hwmon5/temp2_input", "70000\n")
    machine.set(FIRST, "gpu_busy_percent", "99\n")
    clock.now += 1.0
    reading = first(one)
    assert (reading.temperature_c, reading.gpu_percent) == (52.0, 99.0)
    clock.now += 1.0
    assert first(one).temperature_c == 70.0


def test_no_amd_gpu_is_nothing_to_mend(machine: AmdMachine) -> None:
    with pytest.raises(VendorAbsent, match="No AMD GPU"):
        probe(machine).open()


def test_a_card_without_its_driver_is_told_with_the_command(machine: AmdMachine) -> None:
    machine.card(0, FIRST, driver="")
    (machine.root / "sys/class/drm/card0/device").unlink()
    with pytest.raises(GpuAbsent) as raised:
        probe(machine).open()
    assert not isinstance(raised.value, VendorAbsent)
    assert FIRST in raised.value.title
    assert "modprobe amdgpu" in raised.value.hint


def test_a_card_that_is_kept_for_a_virtual_machine_is_nothing_to_mend(machine: AmdMachine) -> None:
    machine.card(0, FIRST, driver="vfio-pci")
    (machine.root / "sys/class/drm/card0/device").unlink()
    with pytest.raises(VendorAbsent, match="kept by vfio-pci"):
        probe(machine).open()


def test_a_card_that_its_driver_lets_go_is_gone_though_the_bus_still_has_it(machine: AmdMachine) -> None:
    machine.card(0, FIRST)
    one = probe(machine)
    one.open()
    (machine.folder(FIRST) / "driver").unlink()
    assert first(one).condition == amd.GONE
    (machine.folder(FIRST) / "driver").symlink_to("../../../bus/pci/drivers/amdgpu")
    assert (first(one).condition, first(one).gpu_percent) == ("", 37.0)


def test_a_card_of_another_driver_is_a_note_beside_those_that_are_read(machine: AmdMachine) -> None:
    machine.card(0, FIRST)
    machine.card(1, SECOND, driver="radeon")
    one = probe(machine)
    one.open()
    snapshot = one.sample()
    assert len(snapshot.readings) == 1
    assert snapshot.notes == (f"the AMD GPU at {SECOND} is run by radeon, which tells no readings",)
    machine.remove(0, FIRST)
    with pytest.raises(GpuAbsent, match="radeon"):
        probe(machine).open()


def test_a_driver_that_is_unloaded_is_absent_and_can_be_opened_again(machine: AmdMachine) -> None:
    machine.card(0, FIRST)
    one = probe(machine)
    one.open()
    machine.remove(0, FIRST)
    (machine.root / "sys/module/amdgpu").rmdir()
    with pytest.raises(GpuAbsent, match="unloaded"):
        one.sample()
    one.close()
    one.close()
    with pytest.raises(GpuAbsent, match="not open"):
        one.sample()
    (machine.root / "sys/module/amdgpu").mkdir()
    machine.card(0, FIRST)
    one.open()
    assert first(one).gpu_percent == 37.0


def test_the_version_of_the_driver_is_the_packages_or_the_kernels(machine: AmdMachine) -> None:
    machine.card(0, FIRST)
    one = probe(machine)
    one.open()
    assert one.sample().driver_version.startswith("Linux ")
    (machine.root / "sys/module/amdgpu/version").write_text("6.10.5\n")
    assert one.sample().driver_version == "6.10.5"


def test_pids_of_another_namespace_are_not_taken_for_ours(machine: AmdMachine) -> None:
    """In a container of our own: KFD tells the machine's pids, /proc shows the container's."""
    machine.card(0, FIRST)
    machine.kfd_node(1, "30381", 0x0300)
    machine.kfd_process(1, "30381", 5, cores=None)
    machine.process(1)
    one = probe(machine)
    one.open()
    assert [process.pid for process in first(one).processes] == [1]
    (machine.root / "proc/self/ns").mkdir(parents=True)
    (machine.root / "proc/self/ns/pid").symlink_to("pid:[4026532999]")
    (machine.root / ".dockerenv").touch()
    one.open()
    snapshot = one.sample()
    assert (snapshot.readings[0].processes, snapshot.notes) == ((), (HIDDEN_NOTE,))


def test_traffic_is_read_in_a_thread_of_its_own(machine: AmdMachine) -> None:
    machine.card(0, FIRST)
    one = AmdProbe(root=machine.root, smi=AmdSmi(absent_library), link=LinkReader(pause_s=0.01))
    one.open()
    deadline = time.monotonic() + 10
    while isinstance(first(one).pcie_rx_bytes_s, Missing) and time.monotonic() < deadline:
        time.sleep(0.01)
    reading = first(one)
    one.close()
    assert (reading.pcie_rx_bytes_s, reading.pcie_tx_bytes_s) == (256_000.0, 512_000.0)


def test_the_real_machine_opens_or_says_why() -> None:
    one, why = AmdProbe(), ""
    try:
        one.open()
        found = bool(one.sample().readings)
    except GpuAbsent as error:
        found, why = False, error.title
    finally:
        one.close()
    assert found or why
