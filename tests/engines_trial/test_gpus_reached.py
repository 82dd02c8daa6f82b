"""What copies on real engines reach on the fake driver's GPUs stands in the trial's report, by NVML and the join."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.gpu.nvidia import NvidiaProbe
from backends.gpu.sampler import GpuTiming
from backends.model.ids import ContainerKey
from backends.model.trial import ReadyBy, TrialProgress, TrialRequest
from backends.services.fleet import Fleet
from backends.services.gpus import sample_gpus
from backends.services.trials import run_trial
from tests.engines_migration.yard import Yard
from tests.gpu import conftest
from tests.gpu.conftest import Fake
from tests.gpu.scenario import GIB
from tests.thorough import thorough

pytestmark = pytest.mark.engines

fake, fake_library = conftest.fake, conftest.fake_library
SECONDS = "7654321"
"""What the copies sleep: by it their processes are found."""
INTERVAL_S = 0.25
"""Longer than the sixth of a second in which the driver writes down utilization."""
IMAGE = "docker.io/test/busybox:1"


def copies() -> list[int]:
    """The host's numbers of processes that sleep so."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue  # it ended while we looked
        if words[:2] == [b"sleep", SECONDS.encode()]:
            found.append(int(folder.name))
    return found


class Driver:
    """The fake driver, told of a copy's process as soon as the copy runs."""

    def __init__(self, fake: Fake) -> None:
        self.fake = fake

    def follow(self, progress: TrialProgress) -> None:
        """A copy takes 3 GiB and 30 %."""
        if progress.phase.endswith("read"):
            gpu = self.fake.scenario.gpus[0]
            gpu.lines.clear()
            for pid in copies():
                gpu.process(pid, 3 * GIB, 30)
            self.fake.scenario.write()


@pytest.mark.parametrize("engine", thorough("docker", "podman", "podman-rootless"))
async def test_memory_and_utilization_are_what_the_driver_told(yard: Yard, fake: Fake, engine: str) -> None:
    fake.scenario.write()

    async def sample(fleet: Fleet) -> None:
        probes = {"NVIDIA": NvidiaProbe(pci_root=fake.pci_root)}
        await sample_gpus(fleet.store, probes, timing=GpuTiming(interval_s=INTERVAL_S))

    ours = yard.engine(engine)
    fleet = Fleet([ours], background={"gpus": sample})
    options = ["--device", "nvidia.com/gpu=0", "--stop-signal", "KILL", "--name", yard.run, *yard.marks]
    made = yard.cli(engine, "create", *options, IMAGE, "sleep", SECONDS).strip()
    await fleet.start()
    assert await fleet.ready(20)
    request = TrialRequest((ours.id,), 1, ReadyBy.RUNNING)
    try:
        report = await run_trial(fleet, ContainerKey(ours.id, made), yard.run, request, Driver(fake).follow)
    finally:
        await fleet.close()
    (one,) = report.rounds
    assert (one.values["gpu_bytes"], one.values["gpu_percent"]) == (3 * GIB, 30.0)
