"""Bodies of POST /containers/create and /networks/create, and what Docker cannot do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from backends.engines.docker_create import create_body
from backends.engines.docker_create_networks import later, network_body
from backends.engines.docker_translate_stores import network
from backends.model.container import MountKind
from backends.model.errors import Unsupported
from backends.model.network import NetworkSpec, Subnet
from backends.model.settings import (
    HealthSpec,
    NamespaceSpec,
    NetworkAttachment,
    NetworkingSpec,
    ProcessSpec,
    ResourceSpec,
    SecuritySpec,
    Throttle,
)
from backends.model.workload import MountSpec, WorkloadSpec

PLAIN = WorkloadSpec("box", "docker.io/test/busybox:1")
JOINED = (
    NetworkAttachment("front", mac="02:42:c6:12:00:07"),
    NetworkAttachment("back", aliases=("db",), ipv4="10.5.0.7"),
)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"process": ProcessSpec(http_proxy=True)}, "process.http_proxy"),
        ({"process": ProcessSpec(systemd="always")}, "process.systemd"),
        ({"process": ProcessSpec(timezone="Europe/Berlin")}, "process.timezone"),
        ({"process": ProcessSpec(umask="0027")}, "process.umask"),
        ({"process": ProcessSpec(groups=("keep-groups",))}, "process.groups"),
        ({"network": NetworkingSpec("pasta")}, "network.mode"),
        ({"network": NetworkingSpec("none", JOINED)}, "network.networks"),
        ({"network": NetworkingSpec("host", mac="02:42:c6:12:00:08")}, "network.mac"),
        ({"network": NetworkingSpec(base_hosts="image")}, "network.base_hosts"),
        ({"network": NetworkingSpec(no_hosts=True)}, "network.no_hosts"),
        ({"network": NetworkingSpec(no_resolv=True)}, "network.no_resolv"),
        ({"namespaces": NamespaceSpec(user="keep-id")}, "namespaces.user"),
        ({"namespaces": NamespaceSpec(uts="container:x")}, "namespaces.uts"),
        ({"namespaces": NamespaceSpec(cgroup="container:x")}, "namespaces.cgroup"),
        ({"namespaces": NamespaceSpec(ipc="odd")}, "namespaces.ipc"),
        ({"namespaces": NamespaceSpec(pid="odd")}, "namespaces.pid"),
        ({"security": SecuritySpec(read_write_tmpfs=True)}, "security.read_write_tmpfs"),
        ({"resources": ResourceSpec(throttles=(Throttle("odd", "/dev/sda", 1),))}, "resources.throttles"),
        ({"health": HealthSpec(("CMD", "true"), on_failure="kill")}, "health.on_failure"),
        ({"health": HealthSpec(("CMD", "true"), startup=HealthSpec(("CMD", "true")))}, "health.startup"),
        ({"mounts": (MountSpec(MountKind.OTHER, "x", "/m"),)}, "mounts[/m].kind"),
        ({"mounts": (MountSpec(MountKind.TMPFS, "", "/m", no_copy=False),)}, "mounts[/m].no_copy"),
        ({"mounts": (MountSpec(MountKind.VOLUME, "v", "/m", options=("noexec",)),)}, "mounts[/m].options"),
        ({"mounts": (MountSpec(MountKind.BIND, "/s", "/m", relabel="z", recursive=False),)}, "mounts[/m].relabel"),
    ],
)
def test_what_docker_cannot_do_is_refused_by_its_name(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Unsupported) as caught:
        create_body(replace(PLAIN, **changes))
    assert caught.value.title == f"Docker cannot do {field}"
    assert caught.value.detail.startswith(f"{field.partition('[')[0]}")


@pytest.mark.parametrize(
    "changes",
    [
        {"process": ProcessSpec(http_proxy=False, systemd="false", umask="0022")},
        {"network": NetworkingSpec(base_hosts="none")},
        {"security": SecuritySpec(read_write_tmpfs=False)},
        {"health": HealthSpec(("CMD", "true"), on_failure="none")},
        {"namespaces": NamespaceSpec(pid="private", uts="private")},
    ],
)
def test_what_docker_does_anyway_needs_no_word(changes: dict[str, Any]) -> None:
    body = create_body(replace(PLAIN, **changes))
    if "health" in changes:
        assert body.pop("Healthcheck")["Test"] == ["CMD", "true"]
    assert body == create_body(PLAIN)


@pytest.mark.parametrize(
    ("mount", "place", "value"),
    [
        (
            MountSpec(MountKind.BIND, "/s", "/m"),
            "Mounts",
            [{"Type": "bind", "Source": "/s", "Target": "/m", "ReadOnly": False}],
        ),
        (MountSpec(MountKind.BIND, "/s", "/m", True, create_source=True), "Binds", ["/s:/m:ro"]),
        (MountSpec(MountKind.BIND, "/s", "/m", relabel="Z", propagation="rslave"), "Binds", ["/s:/m:rw,Z,rslave"]),
        (
            MountSpec(MountKind.BIND, "/a:b", "/m", create_source=True),
            "Mounts",
            [
                {
                    **{"Type": "bind", "Source": "/a:b", "Target": "/m", "ReadOnly": False},
                    "BindOptions": {"CreateMountpoint": True},
                }
            ],
        ),
        (
            MountSpec(MountKind.VOLUME, "v", "/m", subpath="deep", no_copy=True),
            "Mounts",
            [
                {
                    **{"Type": "volume", "Source": "v", "Target": "/m", "ReadOnly": False},
                    "VolumeOptions": {"NoCopy": True, "Subpath": "deep"},
                }
            ],
        ),
        (
            MountSpec(MountKind.TMPFS, "", "/m", True, options=("noexec",), size_bytes=4096, mode=0o700),
            "Tmpfs",
            {"/m": "ro,size=4096,mode=700,noexec"},
        ),
    ],
)
def test_mounts_in_dockers_words(mount: MountSpec, place: str, value: Any) -> None:
    assert create_body(replace(PLAIN, mounts=(mount,)))["HostConfig"][place] == value


@pytest.mark.parametrize("api", [(1, 40), (1, 43), (1, 44), (1, 51)])
def test_every_network_is_joined_whatever_the_version_takes_at_creation(api: tuple[int, ...]) -> None:
    spec = replace(PLAIN, network=NetworkingSpec("bridge", JOINED))
    body, rest = create_body(spec, api), later(spec.network, api)
    ends = body["NetworkingConfig"]["EndpointsConfig"]
    assert body["HostConfig"]["NetworkMode"] == "front"
    assert {*ends, *rest} == {"front", "back"}
    assert not ends.keys() & rest.keys()
    back = {**ends, **rest}["back"]
    assert back == {"Aliases": ["db"], "IPAMConfig": {"IPv4Address": "10.5.0.7"}}
    assert (body.get("MacAddress") or ends["front"].get("MacAddress")) == "02:42:c6:12:00:07"
    assert (len(ends) == 2) is (api >= (1, 44))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        (
            {"network": NetworkingSpec("bridge", (NetworkAttachment("n", interface="eth7"),))},
            "network.networks[n].interface",
        ),
        ({"mounts": (MountSpec(MountKind.BIND, "/a:b", "/m", create_source=True),)}, "mounts[/m].create_source"),
        ({"mounts": (MountSpec(MountKind.BIND, "/a", "/m", options=("rro",)),)}, "mounts[/m].options"),
        ({"mounts": (MountSpec(MountKind.VOLUME, "v", "/m", subpath="deep"),)}, "mounts[/m].subpath"),
        ({"namespaces": NamespaceSpec(cgroup="host")}, "namespaces.cgroup"),
        ({"process": ProcessSpec(annotations={"a": "b"})}, "process.annotations"),
        ({"health": HealthSpec(("CMD", "true"), start_interval_ns=1_000_000)}, "health.start_interval_ns"),
    ],
)
def test_what_only_a_newer_docker_can_is_refused_by_an_old_one(changes: dict[str, Any], field: str) -> None:
    spec = replace(PLAIN, **changes)
    assert create_body(spec, (1, 51))
    with pytest.raises(Unsupported) as caught:
        create_body(spec, (1, 40))
    assert caught.value.title == f"Docker cannot do {field}"


# -- networks ------------------------------------------------------------------------------------
FULL = NetworkSpec(
    "team",
    subnets=(Subnet("10.5.0.0/24", "10.5.0.1", "10.5.0.128/25"), Subnet("fd00:5::/64", "fd00:5::1")),
    internal=True,
    ipv6=True,
    labels={"a": "b"},
    options={"com.docker.network.driver.mtu": "1400"},
)


def _answered(body: dict[str, Any]) -> dict[str, Any]:
    """What GET /networks/{name} says of it."""
    rest = {"Id": "f" * 64, "Scope": "local", "Ingress": False, "Containers": {}, "ConfigFrom": {"Network": ""}}
    return {key: value for key, value in body.items() if key != "CheckDuplicate"} | rest


@pytest.mark.parametrize(
    "spec", [NetworkSpec("plain"), FULL, NetworkSpec("wide", "macvlan", options={"parent": "eth0"})]
)
def test_a_network_comes_back(spec: NetworkSpec) -> None:
    seen = network(_answered(network_body(spec)))
    assert seen.spec == spec
    assert (seen.id, seen.default) == ("f" * 64, False)


def test_a_network_without_names_is_refused() -> None:
    with pytest.raises(Unsupported, match=r"networks\[quiet\]\.dns"):
        network_body(NetworkSpec("quiet", dns=False))


@pytest.mark.parametrize("name", ["bridge", "host", "none", "docker_gwbridge"])
def test_dockers_own_networks(name: str) -> None:
    seen = network({"Name": name, "Id": "1", "Driver": "bridge", "IPAM": {"Config": None}, "Options": None})
    assert (seen.default, seen.spec.dns, seen.spec.subnets) == (True, False, ())


def test_what_docker_28_says_twice_is_taken_once() -> None:
    flags = {"com.docker.network.enable_ipv4": "true", "com.docker.network.enable_ipv6": "true"}
    item = {"Name": "n", "Id": "1", "EnableIPv4": True, "EnableIPv6": True, "Options": flags}
    gateway = {"Config": [{"Subnet": "fd00::/64", "Gateway": "fd00::1/64"}]}
    assert network(item | {"IPAM": gateway}).spec == NetworkSpec(
        "n", subnets=(Subnet("fd00::/64", "fd00::1"),), ipv6=True
    )


def test_a_network_without_ipv4_stays_so() -> None:
    seen = network({"Name": "n", "Id": "1", "EnableIPv4": False, "EnableIPv6": True}).spec
    assert network_body(seen)["EnableIPv4"] is False
