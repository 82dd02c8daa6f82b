"""A device that drops out: it keeps its place with the reason, the others go on, and it comes back."""

from __future__ import annotations

import pytest

from backends.gpu.probe import GpuAbsent
from backends.model.gpu import GpuReading
from backends.model.values import Missing
from tests.gpu.conftest import Fake
from tests.gpu.scenario import LOST, NO_PERMISSION, RESET_REQUIRED

WHY = {
    LOST: "the GPU is lost: the driver cannot reach it any more",
    RESET_REQUIRED: "the GPU must be reset before it can be used again",
}


def is_unreadable(reading: GpuReading, why: str) -> None:
    no = Missing(why)
    assert reading.condition == reading.processes_refused == why
    assert reading.hint
    assert reading.processes == ()
    for name in ("gpu_percent", "memory_used_bytes", "memory_free_bytes", "temperature_c", "power_w", "fan_percent"):
        assert getattr(reading, name) == no
    assert reading.clocks.sm_mhz == reading.clocks.throttled == reading.health.ecc_corrected == no


@pytest.mark.parametrize("code", [LOST, RESET_REQUIRED])
def test_a_device_that_is_lost_mid_run_does_not_hide_the_other_and_comes_back(fake: Fake, code: int) -> None:
    probe, gpu = fake.probe(), fake.scenario.gpus[0]
    gpu.process(7, 300)
    fake.scenario.write()
    assert probe.sample().readings[0].condition == ""
    gpu.fails["*"] = code
    fake.scenario.write()
    lost, good = probe.sample().readings
    is_unreadable(lost, WHY[code])
    assert (lost.device.name, lost.device.uuid) == ("NVIDIA H100 80GB HBM3", gpu.uuid)
    assert (good.gpu_percent, good.condition) == (40.0, "")
    fake.calls()
    for _ in range(10):
        fake.clock.now += 1.0
        is_unreadable(probe.sample().readings[0], WHY[code])
    assert fake.calls()["nvmlDeviceGetHandleByUUID"] == 2  # looked for every 5 s
    gpu.fails.clear()
    fake.scenario.write()
    fake.clock.now += 5.0
    back = probe.sample().readings[0]
    assert (back.condition, back.hint, back.gpu_percent) == ("", "", 40.0)
    assert [one.pid for one in back.processes] == [7]


def test_the_next_step_names_the_device(fake: Fake) -> None:
    fake.scenario.gpus[1].fails["*"] = RESET_REQUIRED
    assert "nvidia-smi --gpu-reset -i 1" in fake.probe().sample().readings[1].hint


@pytest.mark.parametrize("function", ["nvmlDeviceGetTemperature", "nvmlDeviceGetComputeRunningProcesses_v3"])
def test_a_loss_is_noticed_in_whatever_call_it_shows(fake: Fake, function: str) -> None:
    probe = fake.probe()
    fake.scenario.gpus[0].fails[function] = LOST
    fake.scenario.write()
    fake.clock.now += 2.0
    lost, good = probe.sample().readings
    is_unreadable(lost, WHY[LOST])
    assert good.condition == ""


def test_one_that_is_lost_from_the_start_keeps_its_place(fake: Fake) -> None:
    gpu = fake.scenario.gpus[0]
    gpu.fails["nvmlDeviceGetHandleByIndex_v2"] = LOST
    probe = fake.probe()
    lost, good = probe.sample().readings
    is_unreadable(lost, WHY[LOST])
    assert (lost.device.index, lost.device.name, lost.device.uuid) == (0, "unreadable GPU", "")
    assert (good.device.index, good.gpu_percent) == (1, 40.0)
    gpu.fails.clear()
    fake.scenario.write()
    fake.clock.now += 5.0
    assert probe.sample().readings[0].device.uuid == gpu.uuid


def test_one_that_the_driver_may_not_open_says_so(fake: Fake) -> None:
    fake.scenario.gpus[0].fails["nvmlDeviceGetHandleByIndex_v2"] = NO_PERMISSION
    lost, _ = fake.probe().sample().readings
    assert lost.condition == "the driver does not open this GPU (Insufficient Permissions)"
    assert "dmesg" in lost.hint


def test_after_a_while_the_driver_is_opened_anew_and_indexes_may_have_moved(fake: Fake) -> None:
    """A device that dropped out of the list: the other one is told by its UUID, not by its index."""
    probe, (gone, good) = fake.probe(), tuple(fake.scenario.gpus)
    good.values["gpu_percent"] = 77
    fake.scenario.gpus = [good]
    fake.scenario.write()
    fake.calls()
    for _ in range(31):
        fake.clock.now += 1.0
        probe.sample()
    assert fake.calls()["nvmlInitWithFlags"] == 1
    first, second = probe.sample().readings
    assert (first.device.uuid, bool(first.condition)) == (gone.uuid, True)
    assert (second.device.uuid, second.gpu_percent, second.condition) == (good.uuid, 77.0, "")
    fake.scenario.gpus = [gone, good]
    fake.scenario.write()
    fake.clock.now += 5.0
    assert [one.condition for one in probe.sample().readings] == ["", ""]


def test_a_driver_that_does_not_open_anew_is_absent(fake: Fake) -> None:
    fake.scenario.gpus[0].fails["*"] = LOST
    probe = fake.probe()
    fake.scenario.fails["nvmlInitWithFlags"] = 9
    fake.scenario.write()
    fake.clock.now += 31.0
    with pytest.raises(GpuAbsent, match="kernel module is not loaded"):
        probe.sample()
    probe.close()


def test_good_devices_never_make_the_driver_open_anew(fake: Fake) -> None:
    probe = fake.probe()
    fake.calls()
    for _ in range(10):
        fake.clock.now += 10.0
        probe.sample()
    assert fake.calls()["nvmlInitWithFlags"] == 0
