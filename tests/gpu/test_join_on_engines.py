"""Processes of real containers on the fake driver's GPUs: each is joined to its container, from NVML to `--json`."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from backends.cgroups.processes import field_of
from backends.gpu.sampler import GpuSampler, GpuTiming
from backends.model.gpu import GpuProcess, GpuSnapshot
from tests.engines_stats.busy import Containers
from tests.gpu.build import environ
from tests.gpu.conftest import Fake
from tests.gpu.scenario import GIB
from tests.real import RealEngines

pytestmark = pytest.mark.engines

ENGINES = ("docker", "podman", "podman-rootless")
DEADLINE_S = 60.0


@dataclass(frozen=True)
class Running:
    """A container, and the host's number of the program in it (not of its init)."""

    engine: str
    id: str
    pid: int


@pytest.fixture(scope="module")
def running(real_engines: RealEngines, run_label: dict[str, str]) -> Iterator[list[Running]]:
    """One container on each engine."""
    made = Containers(real_engines, run_label)
    try:
        keys = [made.run(engine, command="exec sleep 600") for engine in ENGINES]
        yield [Running(key.engine.name, key.id, host_pid(int(made.cli(key, *_PID)))) for key in keys]
    finally:
        made.remove_all()


_PID = ("inspect", "-f", "{{.State.Pid}}")


def host_pid(engine_pid: int) -> int:
    """The program below the init that the engine names: the engine may be in a pid namespace of its own."""
    inits = [pid for pid, numbers, _ in every_process() if engine_pid in numbers and numbers[-1] == 1]
    assert len(inits) == 1, inits
    return next(pid for pid, _, parent in every_process() if parent == inits[0])


def every_process() -> Iterator[tuple[int, list[int], int]]:
    """Number here, numbers in all its namespaces, number of the parent."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "status").read_bytes()
        except OSError:
            continue  # it ended while we looked
        numbers = [int(word) for word in field_of(status, b"NSpid").split()]
        yield int(folder.name), numbers, int(field_of(status, b"PPid"))


def put_on_gpus(fake: Fake, running: list[Running]) -> None:
    for place, one in enumerate(running):
        fake.scenario.gpus[place % 2].process(one.pid, (place + 1) * GIB, 10 * (place + 1))
    fake.scenario.write()


async def test_the_sampler_joins_each_process_to_its_container(fake: Fake, running: list[Running]) -> None:
    put_on_gpus(fake, running)
    fake.scenario.gpus[0].process(os.getpid(), 7, 0)  # in no container
    probe, seen = fake.probe(), asyncio.Queue[GpuSnapshot]()
    probe.close()  # the sampler opens it in its own thread
    known = {one.id for one in running}
    task = asyncio.create_task(
        GpuSampler(probe, seen.put_nowait, known=lambda: known, timing=GpuTiming(interval_s=0.05)).run()
    )
    async with asyncio.timeout(DEADLINE_S):
        first = by_pid(await seen.get())
        task.cancel()
        await asyncio.wait([task])
    for place, one in enumerate(running):
        process = first[one.pid]
        assert (process.container_id, process.name) == (one.id, "sleep"), one.engine
        assert (process.memory_bytes, process.sm_percent) == ((place + 1) * GIB, 10.0 * (place + 1))
        assert (process.user_id != 0) == (one.engine == "podman-rootless")
    assert first[os.getpid()].container_id == ""


def by_pid(snapshot: GpuSnapshot) -> dict[int, GpuProcess]:
    return {process.pid: process for reading in snapshot.readings for process in reading.processes}


def test_the_command_line_tells_them(
    fake: Fake, fake_library: Path, running: list[Running], real_engines: RealEngines
) -> None:
    put_on_gpus(fake, running)
    environment = environ(fake_library, fake.scenario.path) | {
        "DOCKER_HOST": real_engines.docker,
        "CONTAINER_HOST": real_engines.podman,
    }
    environment.pop("TRANSHIP_FAKE_NVML_LOG")
    done = subprocess.run(
        [sys.executable, "-m", "tui", "gpus", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
    assert done.returncode == 0, done.stderr
    told = {process["pid"]: process for device in json.loads(done.stdout)["gpus"] for process in device["processes"]}
    assert {one.pid for one in running} <= told.keys()
    for one in running:
        assert told[one.pid]["container_id"] == one.id, one.engine
