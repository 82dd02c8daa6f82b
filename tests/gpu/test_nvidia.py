"""The NVIDIA probe: the real pynvml on a library that answers from a script; never on a GPU."""

from __future__ import annotations

from typing import Any

import pytest

from backends.gpu.nvidia import NvidiaProbe
from backends.gpu.probe import GpuAbsent, VendorAbsent
from backends.model.gpu import GpuClocks, GpuHealth, GpuReading
from backends.model.values import Missing
from tests.gpu.conftest import Fake
from tests.gpu.scenario import GIB, MISMATCH, NO_PERMISSION, NOT_SUPPORTED

REFUSED = Missing("Not Supported")


def first(probe: NvidiaProbe) -> GpuReading:
    return probe.sample().readings[0]


def test_all_values_of_two_devices(fake: Fake) -> None:
    fake.scenario.gpus[1].values["gpu_percent"] = 41
    snapshot = fake.probe().sample()
    assert (snapshot.absent, snapshot.driver_version, snapshot.cuda_version) == ("", "550.54.15", "12.4")
    one, other = snapshot.readings
    assert (one.device.index, one.device.uuid, one.device.vendor) == (0, fake.scenario.gpus[0].uuid, "NVIDIA")
    assert (one.device.name, one.device.pci_bus_id) == ("NVIDIA H100 80GB HBM3", "00000000:01:00.0")
    assert (one.device.slowdown_c, one.device.shutdown_c, one.device.mig) == (89.0, 94.0, ())
    assert (one.device.memory_total_bytes, one.memory_used_bytes, one.memory_percent) == (80 * GIB, 20 * GIB, 25.0)
    assert (one.memory_reserved_bytes, one.memory_free_bytes) == (600 << 20, 60 * GIB - (600 << 20))
    assert (one.gpu_percent, other.gpu_percent, one.memory_busy_percent) == (40.0, 41.0, 7.0)
    assert (one.encoder_percent, one.decoder_percent) == (3.0, 4.0)
    assert (one.temperature_c, one.power_w, one.power_limit_w) == (61.0, 312.5, 700.0)
    assert (one.pcie_rx_bytes_s, one.pcie_tx_bytes_s) == (4096 * 1024.0, 2048 * 1024.0)
    assert one.clocks == GpuClocks(1755, 1980, 2619, 2619, ())
    assert one.health == GpuHealth(2, 0, 3, "on", "default")
    assert one.fan_percent == REFUSED
    assert (one.processes, one.mig, one.condition, one.hint) == ((), (), "", "")


@pytest.mark.parametrize(
    ("function", "fields"),
    [
        ("nvmlDeviceGetUtilizationRates", {"gpu_percent", "memory_busy_percent"}),
        ("nvmlDeviceGetTemperature", {"temperature_c"}),
        ("nvmlDeviceGetPowerUsage", {"power_w"}),
        ("nvmlDeviceGetEnforcedPowerLimit", {"power_limit_w"}),
        ("nvmlDeviceGetEncoderUtilization", {"encoder_percent"}),
        ("nvmlDeviceGetDecoderUtilization", {"decoder_percent"}),
        ("nvmlDeviceGetPcieThroughput", {"pcie_rx_bytes_s", "pcie_tx_bytes_s"}),
        (
            "nvmlDeviceGetMemoryInfo_v2",
            {"memory_used_bytes", "memory_percent", "memory_free_bytes", "memory_reserved_bytes"},
        ),
        ("nvmlDeviceGetClockInfo", {"clocks.sm_mhz", "clocks.memory_mhz"}),
        ("nvmlDeviceGetMaxClockInfo", {"clocks.sm_max_mhz", "clocks.memory_max_mhz"}),
        ("nvmlDeviceGetTotalEccErrors", {"health.ecc_corrected", "health.ecc_uncorrected"}),
        ("nvmlDeviceGetPersistenceMode", {"health.persistence"}),
        ("nvmlDeviceGetComputeMode", {"health.compute_mode"}),
        ("nvmlDeviceGetTemperatureThreshold", {"device.slowdown_c", "device.shutdown_c"}),
    ],
)
def test_a_value_that_the_driver_refuses_is_missing_with_its_words_and_no_other(
    fake: Fake, function: str, fields: set[str]
) -> None:
    fake.scenario.gpus[0].fails[function] = NO_PERMISSION
    reading = first(fake.probe())
    missing = {name for name, value in values(reading).items() if value == Missing("Insufficient Permissions")}
    if function == "nvmlDeviceGetMemoryInfo_v2":
        fields = fields | {"device.memory_total_bytes"}
    assert missing == fields


def values(reading: GpuReading) -> dict[str, Any]:
    """All values by name, those of clocks, health and the device as "clocks.sm_mhz" and the like."""
    found = {name: getattr(reading, name) for name in GpuReading.__dataclass_fields__}
    for part in ("clocks", "health", "device"):
        whole = found.pop(part)
        found |= {f"{part}.{name}": getattr(whole, name) for name in type(whole).__dataclass_fields__}
    return found


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        (0x0, ()),
        (0x1, ()),  # idle
        (0x4, ("power limit",)),
        (0x48, ("too hot (hardware slowdown)",)),
        (0x88, ("power brake signal",)),
        (0x8, ("hardware slowdown",)),
        (0x25, ("power limit", "too warm (driver slowdown)")),
        (0x112, ("held to its sync boost group", "application clocks set", "display clocks set")),
    ],
)
def test_throttling_is_told_in_plain_words(fake: Fake, bits: int, words: tuple[str, ...]) -> None:
    fake.scenario.gpus[0].values["reasons"] = bits
    assert first(fake.probe()).clocks.throttled == words


@pytest.mark.parametrize(
    ("mode", "words"),
    [(0, "default"), (1, "exclusive thread"), (2, "prohibited"), (3, "exclusive process"), (9, "mode 9")],
)
def test_the_compute_mode_in_words(fake: Fake, mode: int, words: str) -> None:
    fake.scenario.gpus[0].values |= {"compute_mode": mode, "persistence": 0}
    health = first(fake.probe()).health
    assert (health.compute_mode, health.persistence) == (words, "off")


def test_a_card_without_row_remapping_tells_its_retired_pages(fake: Fake) -> None:
    values = fake.scenario.gpus[0].values
    del values["remapped_corrected"], values["remapped_uncorrected"]
    values |= {"retired_single": 3, "retired_double": 4}
    assert first(fake.probe()).health.retired_pages == 7
    del values["retired_double"]
    assert first(fake.probe()).health.retired_pages == REFUSED


def test_an_old_driver_tells_what_it_can(old_fake: Fake) -> None:
    gpu = old_fake.scenario.gpus[0]
    gpu.values |= {"retired_single": 1, "retired_double": 0, "reasons": 4}
    gpu.process(41, 5 * GIB, 10)
    reading = first(old_fake.probe())
    assert reading.memory_used_bytes == 20 * GIB + (600 << 20)  # it counts what is reserved as used
    assert reading.memory_reserved_bytes == Missing("the driver is too old to tell it")
    assert (reading.clocks.throttled, reading.health.retired_pages) == (("power limit",), 1)
    assert [(one.pid, one.memory_bytes) for one in reading.processes] == [(41, 5 * GIB)]


def test_what_hardly_changes_is_asked_seldom(fake: Fake) -> None:
    probe = fake.probe()
    for _ in range(10):
        probe.sample()
        fake.clock.now += 1.0
    calls = fake.calls()
    assert calls["nvmlDeviceGetName"] == calls["nvmlDeviceGetMaxClockInfo"] / 2 == 2
    assert calls["nvmlDeviceGetPowerUsage"] == calls["nvmlDeviceGetTotalEccErrors"] / 2 == 10
    assert calls["nvmlDeviceGetUtilizationRates"] == calls["nvmlDeviceGetComputeRunningProcesses_v3"] == 20
    assert calls["nvmlDeviceGetMigMode"] == 2


@pytest.mark.parametrize(
    ("code", "words", "hint"),
    [
        (9, "kernel module is not loaded", "modprobe"),
        (MISMATCH, "different versions", "restart the machine"),
        (NO_PERMISSION, "No permission", "/dev/nvidiactl"),
        (999, "does not answer (Unknown Error)", "nvidia-smi"),
    ],
)
def test_a_driver_that_does_not_open_says_why_and_what_to_do(fake: Fake, code: int, words: str, hint: str) -> None:
    fake.scenario.fails["nvmlInitWithFlags"] = code
    with pytest.raises(GpuAbsent) as raised:
        fake.probe()
    assert words in raised.value.title
    assert hint in raised.value.hint


def test_a_driver_that_fails_right_after_it_was_opened_is_closed_again(fake: Fake) -> None:
    fake.scenario.fails["nvmlDeviceGetCount_v2"] = NO_PERMISSION
    with pytest.raises(GpuAbsent, match="No permission"):
        fake.probe()
    fake.scenario.fails.clear()
    assert fake.probe().sample().readings


def test_no_module(fake: Fake) -> None:
    def library() -> Any:
        raise ImportError("No module named 'pynvml'")

    with pytest.raises(GpuAbsent, match="nvidia-ml-py"):
        NvidiaProbe(library, pci_root=fake.pci_root).open()


def test_a_machine_with_neither_card_nor_driver_has_nothing_of_this_vendor(fake: Fake) -> None:
    card = fake.pci_root / "0000:01:00.0"
    fake.scenario.fails["nvmlInitWithFlags"] = 9
    with pytest.raises(VendorAbsent):
        fake.probe()
    card.mkdir()
    (card / "vendor").write_text("0x10de\n")
    (card / "class").write_text("0x010601\n")  # a disk controller
    with pytest.raises(VendorAbsent):
        fake.probe()
    (card / "class").write_text("0x030200\n")  # 3D controller
    (fake.pci_root / "0000:00:00.0").mkdir()  # a device that went away while we looked
    with pytest.raises(GpuAbsent) as raised:
        fake.probe()
    assert not isinstance(raised.value, VendorAbsent)


@pytest.mark.parametrize("card", [False, True])
def test_a_driver_without_a_device(fake: Fake, card: bool) -> None:
    fake.scenario.gpus.clear()
    if card:
        place = fake.pci_root / "0000:01:00.0"
        place.mkdir()
        (place / "vendor").write_text("0x10de\n")
        (place / "class").write_text("0x030000\n")
    with pytest.raises(GpuAbsent, match="sees no GPU") as raised:
        fake.probe()
    assert isinstance(raised.value, VendorAbsent) is not card
    assert bool(raised.value.hint) is card


def test_a_driver_that_goes_away_is_absent_and_can_be_opened_again(fake: Fake) -> None:
    probe = fake.probe()
    fake.scenario.fails["nvmlDeviceGetUtilizationRates"] = MISMATCH
    fake.scenario.write()
    with pytest.raises(GpuAbsent, match="different versions"):
        probe.sample()
    probe.close()
    probe.close()
    with pytest.raises(GpuAbsent, match="not open"):
        probe.sample()
    fake.scenario.path.unlink()
    with pytest.raises(GpuAbsent, match="kernel module is not loaded"):
        probe.open()
    fake.scenario.fails.clear()
    fake.scenario.write()
    probe.open()
    assert first(probe).gpu_percent == 40.0


def test_a_name_that_is_no_text_is_no_error(fake: Fake) -> None:
    fake.scenario.write()
    text = fake.scenario.path.read_bytes().replace(b"name NVIDIA H100", b"name \xff\xfe H100")
    fake.scenario.path.write_bytes(text)
    one = NvidiaProbe(pci_root=fake.pci_root, clock=fake.clock)
    one.open()
    assert first(one).device.name == "NVIDIA GPU"


def test_refusing_one_tells_nothing_about_the_next_sample(fake: Fake) -> None:
    probe = fake.probe()
    fake.scenario.gpus[0].fails["nvmlDeviceGetUtilizationRates"] = NOT_SUPPORTED
    fake.scenario.write()
    assert first(probe).gpu_percent == REFUSED
    fake.scenario.gpus[0].fails.clear()
    fake.scenario.write()
    assert first(probe).gpu_percent == 40.0
