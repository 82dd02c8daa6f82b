"""Processes on an NVIDIA device: their memory, their SM use, and the MIG instance that they are on."""

from __future__ import annotations

import pytest

from backends.gpu.nvidia import NvidiaProbe
from backends.model.gpu import GpuProcess, MigInstance, MigReading
from backends.model.values import Missing
from tests.gpu.conftest import Fake
from tests.gpu.scenario import GIB, NO_PERMISSION, NOT_FOUND, NOT_SUPPORTED, with_mig

UNTOLD = Missing("the driver does not tell a process's memory")
KINDS = ("Compute", "Graphics", "MPSCompute")


def processes(probe: NvidiaProbe, gpu: int = 0) -> tuple[GpuProcess, ...]:
    return probe.sample().readings[gpu].processes


def test_processes_of_all_lists_each_once(fake: Fake) -> None:
    gpu = fake.scenario.gpus[0]
    gpu.process(7, 300, 55)
    gpu.process(8, None, None)
    gpu.process(7, 350, None, kind="graphics")
    gpu.process(9, None, None, kind="graphics")
    gpu.process(10, 5, None, kind="mps")
    gpu.process(8, 6, None, kind="mps")
    gpu.sample(9, 2**32 - 1, 2**50)  # a driver that has no value writes -1
    assert processes(fake.probe()) == (
        GpuProcess(7, gpu.uuid, 350, 55.0),
        GpuProcess(8, gpu.uuid, 6, 0.0),
        GpuProcess(9, gpu.uuid, UNTOLD, 0.0),
        GpuProcess(10, gpu.uuid, 5, 0.0),
    )


def test_a_list_that_is_refused_is_told_only_where_all_are(fake: Fake) -> None:
    gpu = fake.scenario.gpus[0]
    gpu.process(7, 300)
    gpu.fails = {f"nvmlDeviceGet{kind}RunningProcesses_v3": NOT_SUPPORTED for kind in KINDS[1:]}
    probe = fake.probe()
    reading = probe.sample().readings[0]
    assert ([one.pid for one in reading.processes], reading.processes_refused) == ([7], "")
    gpu.fails = {f"nvmlDeviceGet{kind}RunningProcesses_v3": NO_PERMISSION for kind in KINDS}
    fake.scenario.write()
    reading = probe.sample().readings[0]
    assert (reading.processes, reading.processes_refused) == ((), "Insufficient Permissions")


@pytest.mark.parametrize("count", [1, 127, 128, 129, 500])
def test_lists_of_any_length_are_read_whole(fake: Fake, count: int) -> None:
    for pid in range(1, count + 1):
        fake.scenario.gpus[0].process(pid, pid, pid % 100)
    found = processes(fake.probe())
    assert [(one.pid, one.memory_bytes) for one in found] == [(pid, pid) for pid in range(1, count + 1)]
    assert [one.sm_percent for one in found] == [float(pid % 100) for pid in range(1, count + 1)]


@pytest.mark.parametrize("driver", ["535.43.02", "535.54.03", "535.86.10", "535.104.05", "545.23.06", "535", "", "x.y"])
def test_drivers_that_wrote_longer_entries_under_the_same_name_are_read_right(fake: Fake, driver: str) -> None:
    fake.scenario.driver = driver
    for pid in (7, 8, 9):
        fake.scenario.gpus[0].process(pid, pid * 100, 1)
    assert [(one.pid, one.memory_bytes) for one in processes(fake.probe())] == [(7, 700), (8, 800), (9, 900)]


def test_a_list_that_grows_while_it_is_read_is_read_again(fake: Fake) -> None:
    gpu = fake.scenario.gpus[0]
    gpu.process(7, 300)
    gpu.values["grow"] = 3
    assert [one.pid for one in processes(fake.probe())] == [7]
    gpu.values["grow"] = 1000
    reading = fake.probe().sample().readings[0]
    assert reading.processes == ()
    assert reading.gpu_percent == 40.0


@pytest.mark.parametrize("code", [NOT_FOUND, 0])
def test_a_process_of_which_nothing_was_seen_is_idle(fake: Fake, code: int) -> None:
    gpu = fake.scenario.gpus[0]
    gpu.process(7, 300, None)
    if code:
        gpu.fails["nvmlDeviceGetProcessUtilization"] = code
    assert processes(fake.probe())[0].sm_percent == 0.0


def test_use_that_the_driver_refuses_is_missing(fake: Fake) -> None:
    gpu = fake.scenario.gpus[0]
    gpu.process(7, 300)
    gpu.fails["nvmlDeviceGetProcessUtilization"] = NO_PERMISSION
    assert processes(fake.probe())[0].sm_percent == Missing("Insufficient Permissions")


def test_use_of_a_process_outlives_one_missed_sample_and_not_more(fake: Fake) -> None:
    gpu = fake.scenario.gpus[0]
    gpu.process(7, 300, None)
    # An old sample of the driver's history, then two of the present: the latest counts.
    for percent, at_us in ((99, 1), (20, 9_100_000), (10, 9_000_000)):
        gpu.sample(7, percent, at_us)
    probe, seen = fake.probe(), []
    for _ in range(5):
        seen.append(processes(probe)[0].sm_percent)
        fake.clock.now += 1.0
    assert seen == [20.0, 20.0, 20.0, 0.0, 0.0]


def test_processes_are_sampled_at_times_of_their_own(fake: Fake) -> None:
    """Seconds apart within one answer, as drivers do (Syllo/nvtop#110)."""
    gpu = fake.scenario.gpus[0]
    for pid in (7, 8):
        gpu.process(pid, 300, None)
    gpu.sample(7, 5, 1_000_000)
    probe = fake.probe()
    probe.sample()
    gpu.sample(7, 11, 9_000_000)
    gpu.sample(8, 19, 4_000_000)
    fake.scenario.write()
    assert [one.sm_percent for one in processes(probe)] == [11.0, 19.0]


def test_entries_of_no_process_are_passed_over(fake: Fake) -> None:
    """Drivers fill up the list with what was in memory (Syllo/nvtop#110): it must not hide what comes later."""
    gpu = fake.scenario.gpus[0]
    gpu.process(7, 300, None)
    gpu.sample(7, 30, 1_000_000)
    gpu.sample(4_294_967_280, 12, 2**62)
    gpu.sample(0, 2**31 - 16, 2**63)
    gpu.sample(7, 2**31 - 16, 2**61)
    probe = fake.probe()
    assert [one.sm_percent for one in processes(probe)] == [30.0]
    gpu.sample(7, 40, 2_000_000)
    fake.scenario.write()
    assert [one.sm_percent for one in processes(probe)] == [40.0]


def test_a_process_that_ended_is_gone_with_the_next_sample(fake: Fake) -> None:
    gpu = fake.scenario.gpus[0]
    gpu.process(7, 300, 50)
    probe = fake.probe()
    assert processes(probe)
    gpu.lines.clear()
    fake.scenario.write()
    assert processes(probe) == ()
    gpu.process(7, 400, None)  # another one of that number: it has used nothing yet
    fake.clock.now += 3.0
    fake.scenario.write()
    assert processes(probe) == (GpuProcess(7, gpu.uuid, 400, 0.0),)


def mig_machine(fake: Fake) -> None:
    fake.scenario = with_mig(fake.scenario.path, [11, 12, 13])


def test_mig_instances_with_their_memory(fake: Fake) -> None:
    mig_machine(fake)
    fake.scenario.gpus[1].mig(4, (11, 2), 20 * GIB, GIB, "2g.20gb")
    whole, cut = fake.probe().sample().readings
    gpu = fake.scenario.gpus[1]
    assert (whole.device.mig, whole.mig) == ((), ())
    assert cut.device.mig == (
        MigInstance(0, gpu.mig_uuid(0), "1g.10gb", 7, 0, 10 * GIB),
        MigInstance(1, gpu.mig_uuid(1), "1g.10gb", 9, 0, 10 * GIB),
        MigInstance(4, gpu.mig_uuid(4), "2g.20gb", 11, 2, 20 * GIB),
    )
    assert cut.mig == (
        MigReading(gpu.mig_uuid(0), 2 * GIB),
        MigReading(gpu.mig_uuid(1), 3 * GIB),
        MigReading(gpu.mig_uuid(4), GIB),
    )
    assert (cut.gpu_percent, cut.encoder_percent) == (Missing("Not Supported"), Missing("Not Supported"))
    assert cut.memory_used_bytes == 20 * GIB


@pytest.mark.parametrize("whole_list", [None, 0, 1])
def test_processes_tell_the_instance_that_they_are_on(fake: Fake, whole_list: int | None) -> None:
    """Without rights the driver refuses the list of the whole device (0), or leaves the instances out (1)."""
    mig_machine(fake)
    gpu = fake.scenario.gpus[1]
    gpu.process(14, 9, None)  # on the device, without an instance being told
    if whole_list is not None:
        gpu.values["whole_list"] = whole_list
    seen = processes(fake.probe(), 1)
    not_told = Missing("Not Supported")
    on_instances = (
        GpuProcess(12, gpu.uuid, GIB, not_told, mig_uuid=gpu.mig_uuid(0)),
        GpuProcess(13, gpu.uuid, GIB, not_told, mig_uuid=gpu.mig_uuid(1)),
    )
    assert seen == ((*on_instances, GpuProcess(14, gpu.uuid, 9, not_told)) if whole_list != 0 else on_instances)
    assert processes(fake.probe(), 0)[0].mig_uuid == ""


def test_a_device_that_is_cut_anew_shows_its_new_instances(fake: Fake) -> None:
    mig_machine(fake)
    probe, gpu = fake.probe(), fake.scenario.gpus[1]
    assert len(probe.sample().readings[1].mig) == 2
    gpu.lines = [line for line in gpu.lines if not line.startswith(("mig 0", "process"))]
    fake.scenario.write()
    fake.clock.now += 1.0
    reading = probe.sample().readings[1]  # one of its instances does not answer: it looks at once
    assert [one.uuid for one in reading.mig] == [one.uuid for one in reading.device.mig] == [gpu.mig_uuid(1)]
    gpu.mig(0, (3, 0), 5 * GIB, 0)
    fake.scenario.write()
    fake.clock.now += 1.0
    assert len(probe.sample().readings[1].mig) == 1
    fake.clock.now += 30.0
    assert len(probe.sample().readings[1].mig) == 2
    gpu.values["mig_mode"] = 0
    fake.scenario.write()
    fake.clock.now += 31.0
    assert probe.sample().readings[1].device.mig == ()


def test_an_instance_whose_memory_is_refused_is_not_looked_for_at_every_sample(fake: Fake) -> None:
    mig_machine(fake)
    fake.scenario.gpus[1].fails["nvmlDeviceGetMemoryInfo_v2"] = NO_PERMISSION
    probe = fake.probe()
    for _ in range(5):
        readings = probe.sample().readings[1].mig
        fake.clock.now += 1.0
    assert readings[0].memory_used_bytes == Missing("Insufficient Permissions")
    assert fake.calls()["nvmlDeviceGetMaxMigDeviceCount"] == 2
