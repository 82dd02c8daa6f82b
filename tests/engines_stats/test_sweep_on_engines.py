"""The sweep over containers of real Docker and Podman: what the kernel really answers."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

from backends.cgroups.find import Finder
from backends.cgroups.processes import ProcessTable
from backends.cgroups.sweep import NO_CGROUP, Sweep
from backends.model.container import StatsReading
from backends.model.ids import ContainerKey
from backends.model.values import Missing
from tests.engines_stats.busy import BUSY, Containers

pytestmark = pytest.mark.engines

DEADLINE_S = 30.0
_UNITS = {"B": 1, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "KB": 10**3, "MB": 10**6, "GB": 10**9}

_T = TypeVar("_T")


@pytest.fixture
def sweep() -> Iterator[Sweep]:
    one = Sweep()
    yield one
    one.close()


def until(look: Callable[[], _T | None]) -> _T:
    """The first answer that is not None."""
    deadline = time.monotonic() + DEADLINE_S
    while (answer := look()) is None:
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)
    return answer


def busy(sweep: Sweep, key: ContainerKey) -> StatsReading:
    """A reading that shows the container at work."""

    def look() -> StatsReading | None:
        reading = sweep.sweep([key])[key]
        rates = (reading.cpu_percent, reading.net_rx_bytes_per_s, reading.net_tx_bytes_per_s)
        return reading if all(not isinstance(rate, Missing) and rate > 0 for rate in rates) else None

    return until(look)


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_a_busy_container_with_a_limit(containers: Containers, sweep: Sweep, engine: str) -> None:
    key = containers.run(engine, "--memory", "64m", command=BUSY)
    reading = busy(sweep, key)
    assert reading.memory_limit_bytes == 64 << 20
    assert isinstance(reading.memory_bytes, int)
    assert 0 < reading.memory_bytes < 64 << 20
    assert isinstance(reading.processes, int)
    assert reading.processes >= 2
    assert not isinstance(reading.block_read_bytes_per_s, Missing)


def test_memory_is_what_docker_stats_shows(containers: Containers, sweep: Sweep) -> None:
    key = containers.run("docker")
    shown = containers.cli(key, "stats", "--no-stream", "--format", "{{.MemUsage}}").split(" / ")
    reading = sweep.sweep([key])[key]
    assert isinstance(reading.memory_bytes, int)
    assert isinstance(reading.memory_limit_bytes, int)
    assert abs(reading.memory_bytes - in_bytes(shown[0])) < 512 << 10  # an idle container, read some ms later
    assert reading.memory_limit_bytes == pytest.approx(in_bytes(shown[1]), rel=0.01)


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_a_restart_is_noticed_through_kept_descriptors(containers: Containers, sweep: Sweep, engine: str) -> None:
    """The kernel answers ENODEV on a removed cgroup's files; the network namespace is another one then."""
    key = containers.run(engine, command=BUSY)
    busy(sweep, key)
    containers.cli(key, "restart", "-t", "0")
    first = sweep.sweep([key])[key]
    assert first.cpu_percent == first.net_rx_bytes_per_s == Missing("first sample")
    busy(sweep, key)


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_a_paused_container_is_read_and_uses_nothing(containers: Containers, sweep: Sweep, engine: str) -> None:
    key = containers.run(engine, command=BUSY)
    busy(sweep, key)
    containers.cli(key, "pause")
    assert until(lambda: True if sweep.sweep([key])[key].cpu_percent == 0.0 else None)
    assert isinstance(sweep.sweep([key])[key].memory_bytes, int)
    containers.cli(key, "unpause")


def test_descriptors_of_removed_containers_are_closed(containers: Containers, sweep: Sweep) -> None:
    before = len(os.listdir("/proc/self/fd"))
    kept = containers.run("docker")
    sweep.sweep([kept])
    with_one = len(os.listdir("/proc/self/fd"))
    assert with_one > before
    for engine in ("docker", "podman", "docker"):
        passing = containers.run(engine)
        assert isinstance(sweep.sweep([kept, passing])[passing].memory_bytes, int)
        containers.remove(passing)
        assert sweep.sweep([kept, passing])[passing].memory_bytes == NO_CGROUP
        assert len(os.listdir("/proc/self/fd")) == with_one
    assert isinstance(sweep.sweep([kept])[kept].memory_bytes, int)


def test_pids_lead_back_to_their_container(containers: Containers) -> None:
    keys = [containers.run("docker"), containers.run("podman")]
    places, processes = Finder().find({key.id for key in keys}), ProcessTable()
    for key in keys:
        pids = next(iter(places[key.id].values())).joinpath("cgroup.procs").read_text().split()
        assert pids
        assert {processes.facts(int(pid)).container_id for pid in pids} == {key.id}
    assert processes.facts(os.getpid()).container_id == ""


def test_rootless_podman_has_a_cgroup_on_v2_only(containers: Containers, sweep: Sweep) -> None:
    key = containers.run("podman-rootless")
    version = containers.engines.cli("podman-rootless", "info", "--format", "{{.Host.CgroupsVersion}}").strip()
    reading = sweep.sweep([key])[key]
    assert (reading.memory_bytes == NO_CGROUP) == (version == "v1")


def in_bytes(text: str) -> float:
    """ "1.5MiB" as Docker's command line writes it."""
    match = re.fullmatch(r"([0-9.]+)([A-Za-z]+)", text.strip())
    assert match is not None, text
    return float(match[1]) * _UNITS[match[2].upper()]
