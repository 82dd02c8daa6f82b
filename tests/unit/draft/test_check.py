"""What the engine or its machine cannot give is found before anything is made."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from backends.draft.check import Facts, Ground, check, free_name, free_port, ground_of, taken_ports
from backends.listening import listening_ports
from backends.model.capabilities import Capabilities, Capability, EngineInfo
from backends.model.container import Container, ContainerState, MountKind, Port
from backends.model.events import ConnectionState, Link
from backends.model.fleet import EngineView, FleetView
from backends.model.ids import ContainerKey, EngineId, EngineKind
from backends.model.plan import Severity
from backends.model.settings import HealthSpec, NamespaceSpec, ResourceSpec
from backends.model.workload import MountSpec, RestartName, RestartPolicy, WorkloadSpec

DOCKER, PODMAN = EngineId(EngineKind.DOCKER, "docker"), EngineId(EngineKind.PODMAN, "podman")
INFO = EngineInfo("1", "1", False, True, cpus=4, memory_bytes=8 << 30)
SPEC = WorkloadSpec("web", "docker.io/a/b:1")


def row(name: str, *ports: Port, engine: EngineId = DOCKER, alive: bool = True) -> Container:
    """A container that is there."""
    state = ContainerState.RUNNING if alive else ContainerState.EXITED
    key = ContainerKey(engine, name.ljust(64, "0"))
    return Container(key, name, "x", "f" * 64, state, datetime(2026, 1, 1, tzinfo=UTC), ports=ports)


def found(spec: WorkloadSpec, ground: Ground) -> list[tuple[str, str, int]]:
    """Severity, field and place of what was found."""
    return [(one.finding.severity.value, one.field, one.place) for one in check(spec, ground)]


def test_a_plain_one_is_fine() -> None:
    assert found(SPEC, Ground(DOCKER, INFO)) == []


def test_the_image_and_the_name() -> None:
    facts = Facts(image_here=False, image_on=("podman",))
    ground = Ground(DOCKER, INFO, (row("web"), row("web-2", engine=PODMAN)), facts)
    image, name = check(SPEC, ground)
    assert "image copy docker.io/a/b:1 --from podman --to docker" in image.finding.remedy
    assert (name.field, name.finding.severity) == ("name", Severity.BLOCK)
    assert "web-2" in name.finding.remedy
    assert found(SPEC, replace(ground, facts=Facts(), replaced=row("web").key)) == []


def test_ports_that_are_taken() -> None:
    spec = replace(
        SPEC, ports=(Port(80, "tcp", "", 8080), Port(81, "tcp", "127.0.0.1", 8081), Port(82, "udp", "", 8080))
    )
    held = row("old", Port(80, "tcp", "", 8080), Port(81, "tcp", "127.0.0.2", 8081))
    ground = Ground(DOCKER, INFO, (held, row("gone", Port(1, "udp", "", 8080), alive=False)))
    assert found(spec, ground) == [("block", "ports", 0)]
    assert "is free" in check(spec, ground)[0].finding.remedy
    assert found(spec, replace(ground, replaced=held.key)) == []
    listening = Ground(DOCKER, INFO, (), Facts(listening=frozenset({8081})))
    assert found(spec, listening) == [("block", "ports", 1)]
    mine = row("mine", Port(1, "tcp", "", 8081))
    assert (8081, "tcp") not in taken_ports(replace(listening, neighbours=(mine,), replaced=mine.key))


def test_low_ports_of_rootless_engines() -> None:
    spec = replace(SPEC, ports=(Port(80, "tcp", "", 80),))
    assert found(spec, Ground(PODMAN, replace(INFO, rootless=True))) == [("warn", "ports", 0)]


def test_more_than_the_machine_has() -> None:
    spec = replace(SPEC, memory_bytes=16 << 30, cpus_nano=8 * 10**9, namespaces=NamespaceSpec(shm_bytes=32 << 30))
    assert found(spec, Ground(DOCKER, INFO)) == [("warn", "memory", 0), ("warn", "shm_size", 0), ("block", "cpus", 0)]
    only = replace(SPEC, namespaces=NamespaceSpec(shm_bytes=16 << 30))
    assert found(only, Ground(DOCKER, INFO)) == [("warn", "shm_size", 0)]


def test_what_the_engine_says_it_cannot() -> None:
    lacking = {Capability.RESOURCE_LIMITS: "no cgroups", Capability.HEALTHCHECK: "no timer"}
    info = replace(INFO, capabilities=Capabilities(lacking))
    spec = replace(
        SPEC, memory_bytes=1 << 30, resources=ResourceSpec(pids_limit=9), health=HealthSpec(("CMD", "true")),
        restart=RestartPolicy(RestartName.ALWAYS),
    )  # fmt: skip
    assert found(spec, Ground(PODMAN, info)) == [
        *(("warn", "memory", 0), ("warn", "pids", 0), ("note", "restart", 0), ("note", "health", 0)),
    ]
    assert found(replace(spec, health=HealthSpec(("NONE",))), Ground(DOCKER, INFO)) == []


def test_folders_that_are_not_there() -> None:
    mounts = (MountSpec(MountKind.VOLUME, "data", "/d"), MountSpec(MountKind.BIND, "/no", "/n"))
    ground = Ground(DOCKER, INFO, facts=Facts(missing=frozenset({"/no"})))
    assert found(replace(SPEC, mounts=mounts), ground) == [("block", "mounts", 1)]
    made = replace(SPEC, mounts=(replace(mounts[1], create_source=True),))
    assert found(made, ground) == []


def test_free_names_and_ports() -> None:
    assert free_name("web", []) == "web"
    assert free_name("web", ["web", "web-2"]) == "web-3"
    assert free_name("web-2", ["web-2", "web"]) == "web-3"
    taken = {(8888, "tcp"): "x", (8889, "tcp"): "y"}
    assert free_port(8888, "tcp", taken) == 8890
    assert free_port(8888, "udp", taken) == 8888
    assert free_port(65535, "tcp", {(65535, "tcp"): "x"}) == 0


def test_neighbours_are_those_of_the_same_machine() -> None:
    far = EngineId(EngineKind.DOCKER, "far")
    here = ConnectionState(Link.CONNECTED)
    engines = {
        DOCKER: EngineView(DOCKER, here, INFO),
        PODMAN: EngineView(PODMAN, here, INFO),
        far: EngineView(far, here, replace(INFO, local=False)),
    }
    rows = [row("one"), row("two", engine=PODMAN), row("three", engine=far)]
    view = FleetView(engines=engines, containers={one.key: one for one in rows})
    near = ground_of(view, DOCKER, Facts())
    other = ground_of(view, far, Facts())
    assert near is not None
    assert other is not None
    assert [one.name for one in near.neighbours] == ["one", "two"]
    assert [one.name for one in other.neighbours] == ["three"]
    assert ground_of(view, EngineId(EngineKind.DOCKER, "nobody"), Facts()) is None


def test_the_kernels_table_of_listeners(tmp_path: Path) -> None:
    head = "  sl  local_address rem_address   st\n"
    (tmp_path / "tcp").write_text(
        f"{head}   0: 0100007F:1F90 00000000:0000 0A 0\n   1: 0100007F:1F91 0:0 01 0\n   junk\n"
    )
    (tmp_path / "tcp6").write_text(f"{head}   0: {'0' * 32}:0050 {'0' * 32}:0000 0A 0\n")
    assert listening_ports(tmp_path) == frozenset({8080, 80})
    assert listening_ports(tmp_path / "absent") == frozenset()
