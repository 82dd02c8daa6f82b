"""Real engines, supervised and sampled: by cgroup files, and by their APIs where containers seem to be elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from backends.cgroups.sweep import Sweep
from backends.engine import Engine
from backends.engines.docker import DockerEngine
from backends.engines.podman import PodmanEngine
from backends.model.container import StatsReading
from backends.model.fleet import FleetView
from backends.model.ids import ContainerKey, EngineId, EngineKind
from backends.model.values import Missing
from backends.services.fleet import Fleet
from backends.services.sampler import OFF_SCREEN, StatsSampler
from backends.services.stats_routes import ROOTLESS_V1
from backends.wire.endpoint import Endpoint
from tests.door import Door, open_door
from tests.engines_stats.busy import BUSY, Containers
from tests.real import RealEngines
from tui.bootstrap import open_fleet
from tui.config import EngineSetting, Settings

pytestmark = pytest.mark.engines

DEADLINE_S = 30.0


@asynccontextmanager
async def sampled(real: RealEngines, sweep: Callable[[], Sweep], seen: Sequence[ContainerKey]) -> AsyncIterator[Fleet]:
    """The three engines with their supervisors and one sampler. seen: the rows on screen."""
    engines: list[Engine] = [
        DockerEngine(EngineId(EngineKind.DOCKER, "docker"), Endpoint.parse(real.docker)),
        PodmanEngine(EngineId(EngineKind.PODMAN, "podman"), Endpoint.parse(real.podman)),
        PodmanEngine(EngineId(EngineKind.PODMAN, "podman-rootless"), Endpoint.parse(real.rootless)),
    ]

    async def stats(fleet: Fleet) -> None:
        sampler = StatsSampler(fleet.store, fleet.engine, sweep=sweep)
        sampler.watch(seen)
        await sampler.run()

    fleet = Fleet(engines, background={"stats": stats})
    await fleet.start()
    try:
        yield fleet
    finally:
        await fleet.close()


async def until(fleet: Fleet, true: Callable[[FleetView], bool]) -> FleetView:
    async with asyncio.timeout(DEADLINE_S):
        while not true(fleet.store.view):  # noqa: ASYNC110 - a view is made of many parts' work
            await asyncio.sleep(0.05)
    return fleet.store.view


def works(view: FleetView, key: ContainerKey) -> bool:
    reading = view.stats.get(key)
    return reading is not None and all(not isinstance(rate, Missing) and rate > 0 for rate in rates(reading))


def rates(reading: StatsReading) -> tuple[float | Missing, ...]:
    return reading.cpu_percent, reading.net_rx_bytes_per_s, reading.net_tx_bytes_per_s


@pytest.mark.parametrize("way", ["cgroup files", "api"])
async def test_busy_containers_of_both_engines(
    real_engines: RealEngines, containers: Containers, tmp_path: Path, way: str
) -> None:
    """An empty cgroup tree stands for containers that run in a virtual machine behind a local socket."""
    keys = [containers.run(engine, "--memory", "64m", command=BUSY) for engine in ("docker", "podman")]
    sweep = Sweep if way == "cgroup files" else lambda: Sweep(tmp_path)
    async with sampled(real_engines, sweep, keys) as fleet:
        view = await until(fleet, lambda view: all(works(view, key) for key in keys))
    for key in keys:
        assert view.stats[key].memory_limit_bytes == 64 << 20


async def test_rootless_on_cgroup_v1_tells_why(real_engines: RealEngines, containers: Containers) -> None:
    key = containers.run("podman-rootless")
    async with sampled(real_engines, Sweep, [key]) as fleet:
        view = await until(fleet, lambda view: key in view.stats)
        info = view.engines[key.engine].info
    assert info is not None
    assert (view.stats[key].cpu_percent == ROOTLESS_V1) == (info.cgroup_version == "1")


@pytest.mark.parametrize("engine", ["docker", "podman"])
async def test_far_engines_are_read_over_tcp_docker_only_for_rows_looked_at(
    real_engines: RealEngines, containers: Containers, engine: str
) -> None:
    """The fleet as bootstrap opens it; what the engine is asked for is read off the wire."""
    seen, unseen = (containers.run(engine, command=BUSY) for _ in range(2))
    url = real_engines.docker if engine == "docker" else real_engines.podman
    async with open_door(url) as door:
        settings = Settings(engines=(EngineSetting(engine, seen.engine.kind, door.url),))
        fleet = await open_fleet(settings, only={engine})
        await fleet.start()
        try:
            fleet.watch({seen})
            view = await until(fleet, lambda view: works(view, seen))
            if engine == "podman":
                await until(fleet, lambda view: works(view, unseen))
                asked = _stats(door)  # once, and again only where others on this engine come or go
                assert asked
                assert all((seen.id in one) == (unseen.id in one) for one in asked), "one stream for all"
            else:
                assert view.stats[unseen].cpu_percent == OFF_SCREEN
                assert {id for id in (seen.id, unseen.id) if any(id in one for one in _stats(door))} == {seen.id}
                fleet.watch({unseen})
                await until(fleet, lambda view: works(view, unseen) and view.stats[seen].cpu_percent == OFF_SCREEN)
                assert len(_stats(door)) == 2
        finally:
            await fleet.close()


def _stats(door: Door) -> list[str]:
    return [request for request in door.requests if "/stats" in request]
