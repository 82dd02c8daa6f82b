"""The NVIDIA probe against a double of pynvml; never on a GPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backends.gpu.nvidia import NvidiaProbe
from backends.gpu.probe import GpuAbsent
from backends.model.gpu import GpuProcess
from backends.model.values import Missing
from tests.unit.gpu.fake_nvml import FakeNvml, process, sample

UNTOLD = Missing("the driver does not tell a process's memory")
REFUSED = Missing("Not Supported")


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def probe(nvml: FakeNvml, tmp_path: Path, clock: Clock | None = None) -> NvidiaProbe:
    return NvidiaProbe(lambda: nvml, drm_root=tmp_path, clock=clock or Clock())


def test_the_double_has_only_names_that_pynvml_has() -> None:
    import pynvml

    for name in vars(FakeNvml):
        if name.startswith("_nvml"):
            assert callable(getattr(pynvml, name[1:])), name
    assert FakeNvml.NVML_TEMPERATURE_GPU == pynvml.NVML_TEMPERATURE_GPU
    real: Any = pynvml.NVMLError  # pynvml has no annotations
    with pytest.raises(pynvml.NVMLError) as raised:
        raise real(pynvml.NVML_ERROR_NOT_SUPPORTED)
    error: Any = raised.value
    assert (error.value, str(error)) == (3, "Not Supported")


def test_all_values_of_two_devices(tmp_path: Path) -> None:
    one = probe(FakeNvml(), tmp_path)
    one.open()
    snapshot = one.sample()
    assert (snapshot.absent, snapshot.driver_version, snapshot.demo) == ("", "550.54.15", False)
    first, second = snapshot.readings
    assert (first.device.index, first.device.uuid, first.device.vendor) == (0, "GPU-0", "NVIDIA")
    assert (first.device.name, first.device.pci_bus_id) == ("NVIDIA H100 80GB HBM3", "00000000:00:00.0")
    assert (first.device.memory_total_bytes, first.memory_used_bytes, first.memory_percent) == (1000, 100, 10.0)
    assert (first.gpu_percent, second.gpu_percent) == (40.0, 41.0)
    assert (first.temperature_c, first.power_w, first.power_limit_w) == (61.0, 312.5, 700.0)
    assert first.fan_percent == REFUSED
    assert first.processes == ()


@pytest.mark.parametrize(
    ("function", "field"),
    [
        ("nvmlDeviceGetUtilizationRates", "gpu_percent"),
        ("nvmlDeviceGetTemperature", "temperature_c"),
        ("nvmlDeviceGetPowerUsage", "power_w"),
        ("nvmlDeviceGetEnforcedPowerLimit", "power_limit_w"),
        ("nvmlDeviceGetMemoryInfo", "memory_used_bytes"),
        ("nvmlDeviceGetMemoryInfo", "memory_percent"),
    ],
)
def test_a_value_that_the_driver_refuses_is_missing_with_its_words(tmp_path: Path, function: str, field: str) -> None:
    nvml = FakeNvml(1)
    nvml.refuse[function] = 3
    one = probe(nvml, tmp_path)
    one.open()
    (reading,) = one.sample().readings
    assert getattr(reading, field) == REFUSED
    others = {"gpu_percent", "temperature_c", "power_w", "power_limit_w"} - {field}
    assert not any(isinstance(getattr(reading, other), Missing) for other in others)


def test_processes_of_all_lists_each_once(tmp_path: Path) -> None:
    nvml = FakeNvml(1)
    nvml.compute[0] = [process(7, 300), process(8, None)]
    nvml.graphics[0] = [process(7, 350), process(9, 2**64 - 1)]
    nvml.mps[0] = [process(10, 5)]
    nvml.samples[0] = [sample(7, 55, 1_000_000), sample(8, 2**32 - 1, 1_000_001)]
    one = probe(nvml, tmp_path)
    one.open()
    assert one.sample().readings[0].processes == (
        GpuProcess(7, "GPU-0", 350, 55.0),
        GpuProcess(8, "GPU-0", UNTOLD, 0.0),
        GpuProcess(9, "GPU-0", UNTOLD, 0.0),
        GpuProcess(10, "GPU-0", 5, 0.0),
    )


def test_a_list_that_is_refused_does_not_hide_the_others(tmp_path: Path) -> None:
    nvml = FakeNvml(1)
    nvml.compute[0] = [process(7, 300)]
    nvml.refuse["nvmlDeviceGetGraphicsRunningProcesses"] = 3
    nvml.refuse["nvmlDeviceGetMPSComputeRunningProcesses"] = 13
    nvml.refuse["nvmlDeviceGetProcessUtilization"] = 3
    one = probe(nvml, tmp_path)
    one.open()
    assert one.sample().readings[0].processes == (GpuProcess(7, "GPU-0", 300, REFUSED),)


def test_no_list_at_all_is_told_from_no_process(tmp_path: Path) -> None:
    nvml = FakeNvml(1)
    one = probe(nvml, tmp_path)
    one.open()
    assert one.sample().readings[0].processes_refused == ""
    for kind in ("Compute", "Graphics", "MPSCompute"):
        nvml.refuse[f"nvmlDeviceGet{kind}RunningProcesses"] = 4
    (reading,) = one.sample().readings
    assert (reading.processes, reading.processes_refused) == ((), "Insufficient Permissions")


def test_pynvml_raises_success_where_there_is_no_sample(tmp_path: Path) -> None:
    nvml = FakeNvml(1)
    nvml.compute[0] = [process(7, 300)]
    nvml.refuse["nvmlDeviceGetProcessUtilization"] = 0
    one = probe(nvml, tmp_path)
    one.open()
    assert one.sample().readings[0].processes[0].sm_percent == 0.0


def test_use_of_a_process_outlives_one_missed_sample_and_not_more(tmp_path: Path) -> None:
    nvml, clock = FakeNvml(1), Clock()
    nvml.compute[0] = [process(7, 300)]
    # An old sample of the driver's history, then two of the present: the latest counts.
    nvml.samples[0] = [sample(7, 99, 1), sample(7, 10, 9_000_000), sample(7, 20, 9_100_000)]
    one = probe(nvml, tmp_path, clock)
    one.open()
    seen = []
    for _ in range(5):
        seen.append(one.sample().readings[0].processes[0].sm_percent)
        clock.now += 1.0
    assert seen == [20.0, 20.0, 20.0, 0.0, 0.0]


def test_what_hardly_changes_is_asked_seldom(tmp_path: Path) -> None:
    nvml, clock = FakeNvml(1), Clock()
    one = probe(nvml, tmp_path, clock)
    one.open()
    for _ in range(10):
        one.sample()
        clock.now += 1.0
    assert nvml.calls.count("nvmlDeviceGetName") == 1
    assert nvml.calls.count("nvmlDeviceGetPowerUsage") == 5
    assert nvml.calls.count("nvmlDeviceGetUtilizationRates") == 10


@pytest.mark.parametrize(
    ("code", "words", "hint"),
    [
        (12, "No NVIDIA driver on this machine (libnvidia-ml.so.1 not found)", "install"),
        (9, "kernel module is not loaded", "modprobe"),
        (18, "different versions", "restart the machine"),
        (4, "No permission", "/dev/nvidiactl"),
        (999, "does not answer (Unknown Error)", "nvidia-smi"),
    ],
)
def test_a_driver_that_does_not_open_says_why_and_what_to_do(tmp_path: Path, code: int, words: str, hint: str) -> None:
    nvml = FakeNvml()
    nvml.refuse["nvmlInit"] = code
    with pytest.raises(GpuAbsent) as raised:
        probe(nvml, tmp_path).open()
    assert words in raised.value.title
    assert hint in raised.value.hint


def test_the_real_module_opens_or_says_why(tmp_path: Path) -> None:
    one, why = NvidiaProbe(drm_root=tmp_path), ""
    try:
        one.open()
        found = bool(one.sample().readings)
    except GpuAbsent as error:
        found, why = False, error.hint
    finally:
        one.close()
    assert found or why


def test_no_module(tmp_path: Path) -> None:
    def library() -> Any:
        raise ImportError("No module named 'pynvml'")

    with pytest.raises(GpuAbsent, match="nvidia-ml-py"):
        NvidiaProbe(library, drm_root=tmp_path).open()


def test_a_card_of_another_vendor_is_named_only_where_it_is(tmp_path: Path) -> None:
    nvml = FakeNvml()
    nvml.refuse["nvmlInit"] = 12
    (tmp_path / "card0" / "device").mkdir(parents=True)
    (tmp_path / "card0" / "device" / "vendor").write_text("0x1002\n")
    (tmp_path / "card0-DP-1").mkdir()
    with pytest.raises(GpuAbsent) as raised:
        probe(nvml, tmp_path).open()
    assert raised.value.title.endswith("not found); AMD GPU found; readings come with a later version")
    with pytest.raises(GpuAbsent) as raised:
        probe(nvml, tmp_path / "nothing").open()
    assert "AMD" not in raised.value.title


def test_a_driver_without_a_device(tmp_path: Path) -> None:
    nvml = FakeNvml(0)
    with pytest.raises(GpuAbsent, match="sees no GPU"):
        probe(nvml, tmp_path).open()
    assert nvml.open == 0


def test_one_lost_device_does_not_hide_the_other(tmp_path: Path) -> None:
    nvml = FakeNvml(2)
    nvml.refuse_device[0] = 15
    one = probe(nvml, tmp_path)
    one.open()
    lost, good = one.sample().readings
    assert lost.gpu_percent == lost.memory_used_bytes == lost.device.memory_total_bytes == Missing("GPU is lost")
    assert good.gpu_percent == 41.0


def test_a_driver_that_goes_away_is_absent_and_can_be_opened_again(tmp_path: Path) -> None:
    nvml = FakeNvml(1)
    one = probe(nvml, tmp_path)
    one.open()
    nvml.refuse["nvmlDeviceGetUtilizationRates"] = 18
    with pytest.raises(GpuAbsent, match="different versions"):
        one.sample()
    nvml.refuse = {"nvmlShutdown": 1}
    one.close()
    one.close()
    with pytest.raises(GpuAbsent, match="not open"):
        one.sample()
    nvml.refuse = {}
    one.open()
    assert one.sample().readings
