"""Two demo engines on one machine: its address ranges, its disk, and what --rm and a recipe's health check do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from backends.engines.demo import DemoEngine
from backends.engines.demo_images import BuildStep, build
from backends.engines.demo_volumes import DemoVolume
from backends.engines.demo_world import DemoHost
from backends.model.container import Health, MountKind
from backends.model.errors import Conflict, NotFound, Protocol, Unsupported
from backends.model.ids import EngineId, EngineKind
from backends.model.network import NetworkSpec, Subnet
from backends.model.settings import HealthSpec, NetworkingSpec, ProcessSpec
from backends.model.workload import MountSpec, WorkloadSpec

_BOX = "docker.io/library/box:1"


class Machine:
    """A demo Docker and a demo Podman on one host, its clock moved by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, tzinfo=UTC)
        self.host = DemoHost(disk_bytes=1 << 20)
        self.docker, self.podman = (
            DemoEngine(EngineId(kind, kind.value), clock=lambda: self.now, host=self.host)
            for kind in (EngineKind.DOCKER, EngineKind.PODMAN)
        )
        self.docker.actions.add_image(build([_BOX], [BuildStep("ADD", 1000)], {"Cmd": ["serve"]}, self.now))


async def test_each_has_the_networks_of_its_kind() -> None:
    machine = Machine()
    assert {one.spec.name for one in await machine.docker.list_networks()} == {"bridge", "host", "none"}
    assert {one.spec.name for one in await machine.podman.list_networks()} == {"podman"}
    for engine, name in ((machine.docker, "bridge"), (machine.podman, "podman")):
        assert (await engine.inspect_network(name)).default
        with pytest.raises(Conflict):
            await engine.remove_network(name)


async def test_podman_minds_the_ranges_of_its_host_and_docker_its_own() -> None:
    machine = Machine()
    await machine.docker.create_network(NetworkSpec("net"))
    (subnet,) = (await machine.docker.inspect_network("net")).spec.subnets
    assert subnet == Subnet("172.18.0.0/16", "172.18.0.1")
    with pytest.raises(Conflict, match="is taken"):
        await machine.podman.create_network(NetworkSpec("net", subnets=(subnet,)))
    await machine.podman.create_network(NetworkSpec("net", subnets=(Subnet("10.7.0.0/24"),), ipv6=True))
    four, six = (await machine.podman.inspect_network("net")).spec.subnets
    assert four == Subnet("10.7.0.0/24", "10.7.0.1")
    assert six.subnet.endswith("::/64")
    await machine.docker.create_network(NetworkSpec("same", subnets=(four,)))


@pytest.mark.parametrize("subnet", ["nonsense", "10.0.0.1/8", ""])
async def test_what_is_no_range_is_refused(subnet: str) -> None:
    with pytest.raises(Conflict, match="no address range"):
        await Machine().docker.create_network(NetworkSpec("net", subnets=(Subnet(subnet),)))


async def test_a_full_disk_takes_nothing_in() -> None:
    machine = Machine()
    room = await machine.podman.room()
    assert (room.free_bytes, room.temp_free_bytes, room.temp_dir) == ((1 << 20) - 1000, (1 << 20) - 1000, "/var/tmp")
    machine.podman.world.volumes["big"] = DemoVolume("big")
    machine.podman.world.volumes["big"].put("x", b"x" * ((1 << 20) - 1500))
    assert (await machine.docker.room()).free_bytes == 500
    async with machine.docker.export_image(_BOX) as archive:
        with pytest.raises(Protocol, match="no space left"):
            await machine.podman.import_image(archive)
    assert await machine.podman.list_images() == []


async def test_rm_removes_at_the_end_with_anonymous_volumes_but_not_in_a_restart() -> None:
    machine = Machine()
    spec = WorkloadSpec(
        "once",
        _BOX,
        command=("sleep", "60"),
        process=ProcessSpec(auto_remove=True),
        mounts=(MountSpec(MountKind.VOLUME, "", "/data"), MountSpec(MountKind.VOLUME, "kept", "/kept")),
    )
    made = await machine.docker.create_container(spec)
    await machine.docker.start(made)
    await machine.docker.restart(made)
    assert (await machine.docker.workload_spec(made)).process.auto_remove
    machine.now += timedelta(seconds=61)
    with pytest.raises(NotFound):
        await machine.docker.inspect_container(made)
    assert [one.name for one in await machine.docker.list_volumes()] == ["kept"]
    again = await machine.docker.create_container(replace(spec, name="again"))
    await machine.docker.start(again)
    await machine.docker.remove(again, force=True)
    assert await machine.docker.list_containers() == []


@pytest.mark.parametrize(
    ("check", "healths"),
    [
        (HealthSpec(("CMD", "true"), interval_ns=10**9), [Health.STARTING, Health.HEALTHY, Health.HEALTHY]),
        (
            HealthSpec(("CMD-SHELL", "exit 1"), interval_ns=10**9, retries=3),
            [Health.STARTING, Health.STARTING, Health.UNHEALTHY],
        ),
        (HealthSpec(("NONE",)), [Health.NONE, Health.NONE, Health.NONE]),
    ],
)
async def test_a_recipes_health_check_takes_its_course(check: HealthSpec, healths: list[Health]) -> None:
    machine = Machine()
    made = await machine.docker.create_container(WorkloadSpec("checked", _BOX, health=check))
    await machine.docker.start(made)
    seen = []
    for seconds in (0.5, 1.0, 2.0):
        machine.now += timedelta(seconds=seconds)
        seen.append(await machine.docker.check_health(made))
    assert seen == healths


async def test_the_demo_fleet_has_no_registries() -> None:
    machine = Machine()
    with pytest.raises(Unsupported, match="no registries"):
        await machine.docker.push_image(_BOX, "127.0.0.1:5000/box:1")
    with pytest.raises(Unsupported, match="no registries"):
        await machine.docker.pull_image("127.0.0.1:5000/box:1")


async def test_a_container_is_on_the_networks_that_it_asked_for_which_must_be_there() -> None:
    machine = Machine()
    lost = WorkloadSpec("lost", _BOX, network=NetworkingSpec("container:nobody"))
    with pytest.raises(NotFound):
        await machine.docker.create_container(lost)
    for mode, networks in (("", ("bridge",)), ("none", ("none",)), ("host", ("host",)), ("container:none", ())):
        name = mode.partition(":")[0] or "plain"
        made = await machine.docker.create_container(WorkloadSpec(name, _BOX, network=NetworkingSpec(mode)))
        assert (await machine.docker.inspect_container(made)).networks == networks
