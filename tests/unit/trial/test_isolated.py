"""A copy for a trial reaches nothing of the original."""

from __future__ import annotations

from backends.model.container import MountKind, Port
from backends.model.settings import NamespaceSpec, NetworkAttachment, NetworkingSpec, ProcessSpec
from backends.model.workload import MountSpec, RestartName, RestartPolicy, WorkloadSpec
from backends.trial.isolated import isolated

SPEC = WorkloadSpec(
    "web",
    "web:1",
    labels={"com.docker.compose.project": "shop"},
    ports=(Port(80, "tcp", "", 8080), Port(9, "udp", "", None)),
    mounts=(
        MountSpec(MountKind.VOLUME, "data", "/data"),
        MountSpec(MountKind.VOLUME, "f00", "/cache", anonymous=True),
        MountSpec(MountKind.BIND, "/srv", "/srv"),
        MountSpec(MountKind.TMPFS, "", "/tmp"),
    ),
    restart=RestartPolicy(RestartName.ALWAYS),
    process=ProcessSpec(auto_remove=True, init=True),
    network=NetworkingSpec("bridge", networks=(NetworkAttachment("shop", ipv4="10.0.0.9"),), mac="02:00:00:00:00:01"),
    namespaces=NamespaceSpec(ipc="container:other", pid="host"),
)


def test_names_ports_volumes_and_networks_are_its_own() -> None:
    made, notes = isolated(SPEC, "trial-1", {"mark": "1"}, {"data": "trial-1-v1"})
    assert (made.name, made.labels) == ("trial-1", {"mark": "1"})
    assert made.ports == (Port(80, "tcp", "127.0.0.1", 0), Port(9, "udp", "", None))
    assert [(one.source, one.read_only) for one in made.mounts] == [
        ("trial-1-v1", False),
        ("", False),
        ("/srv", True),
        ("", False),
    ]
    assert made.restart == RestartPolicy()
    assert made.process == ProcessSpec(init=True)
    assert made.network == NetworkingSpec()
    assert made.namespaces == NamespaceSpec(pid="host")
    assert len(notes) == 4, "the new volume, the folder of the host, the network, the namespaces"


def test_a_container_without_a_network_stays_without() -> None:
    made, notes = isolated(WorkloadSpec("a", "b", network=NetworkingSpec("none")), "c", {}, {})
    assert made.network.mode == "none"
    assert notes == ()
