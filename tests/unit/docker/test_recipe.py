"""Whatever is configured is in the recipe or in `unmapped`, never lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from backends.engines.docker_create import create_body
from backends.engines.docker_defaults import HostDefaults
from backends.engines.docker_recipe import partners, workload_spec
from backends.model.container import MountKind, Port
from backends.model.settings import (
    UNLIMITED,
    DeviceSpec,
    HealthSpec,
    LogSpec,
    NamespaceSpec,
    NetworkAttachment,
    NetworkingSpec,
    ProcessSpec,
    ResourceSpec,
    Ulimit,
)
from backends.model.workload import GpuRequest, RestartName, RestartPolicy, WorkloadSpec
from tests.unit.docker.recorded import container, image_of

DEFAULTS = HostDefaults("1", "runc", "json-file")


def spec_of(name: str) -> WorkloadSpec:
    return workload_spec(container(name), image_of(name), DEFAULTS)


def paths(spec: WorkloadSpec) -> set[str]:
    return {field.path for field in spec.unmapped}


@pytest.mark.parametrize("name", ["plain", "sleep", "exited", "gpu", "gpu2", "gpuall", "web"])
def test_an_ordinary_container_leaves_nothing_over(name: str) -> None:
    assert spec_of(name).unmapped == ()


def test_plain_says_only_what_it_runs() -> None:
    spec = spec_of("plain")
    assert spec == WorkloadSpec(name="test-plain", image="docker.io/test/busybox:1", image_id=spec.image_id)
    assert len(spec.image_id) == 64


def test_full() -> None:
    spec = spec_of("full")
    assert spec.command == ("3600",)
    assert spec.entrypoint == ("/bin/sleep",)
    assert spec.env == {"FOO": "bar", "EMPTY": ""}
    assert spec.labels == {"a": "b", "tranship.test": "run"}
    assert (spec.user, spec.workdir, spec.hostname) == ("1000:1000", "/srv", "fullhost")
    assert spec.tty
    assert spec.stdin_open
    assert spec.ports == (Port(80, host_port=18080), Port(443, "tcp", "127.0.0.1", 18443), Port(5353, "udp", "", 0))
    assert spec.restart == RestartPolicy(RestartName.ON_FAILURE, 3)
    assert (spec.memory_bytes, spec.cpus_nano) == (128 << 20, 1_500_000_000)
    kinds = [(mount.kind, mount.destination, mount.read_only, mount.anonymous) for mount in spec.mounts]
    assert kinds == [
        (MountKind.VOLUME, "/anon", False, True),
        (MountKind.VOLUME, "/data", False, False),
        (MountKind.BIND, "/host", True, False),
        (MountKind.TMPFS, "/scratch", False, False),
    ]
    assert paths(spec) == set()


def test_full_in_its_groups() -> None:
    spec = spec_of("full")
    assert spec.process == ProcessSpec(
        groups=("100",),
        init=True,
        stop_signal="SIGINT",
        stop_timeout_s=5,
        annotations={"x.y": "z"},
    )
    assert spec.network == NetworkingSpec(
        mode="bridge",
        networks=(NetworkAttachment("test-net", aliases=("alias1",)),),
        dns=("1.1.1.1",),
        extra_hosts=("foo:10.0.0.1",),
    )
    assert spec.namespaces == NamespaceSpec(shm_bytes=128 << 20)
    assert spec.security.cap_add == ("CAP_NET_ADMIN",)
    assert spec.security.cap_drop == ("CAP_MKNOD",)
    assert spec.security.no_new_privileges
    assert spec.security.read_only_rootfs
    assert spec.security.devices == (DeviceSpec("/dev/null", "/dev/xnull", "rwm"),)
    assert spec.resources == ResourceSpec(
        oom_score_adj=100,
        pids_limit=100,
        ulimits=(Ulimit("nofile", 1024, 2048),),
        sysctls={"net.ipv4.ip_forward": "1"},
    )
    assert spec.health == HealthSpec(("CMD-SHELL", "true"))  # its interval is Docker's own
    assert spec.log == LogSpec("json-file", {"max-size": "10m"})


@pytest.mark.parametrize(
    ("name", "gpu"),
    [
        ("gpu", GpuRequest(cdi_devices=("nvidia.com/gpu=0",))),
        ("gpu2", GpuRequest(device_ids=("0", "1"), capabilities=(("gpu",),))),
        ("gpuall", GpuRequest(count=-1, capabilities=(("gpu",),))),
        ("plain", None),
    ],
)
def test_gpus(name: str, gpu: GpuRequest | None) -> None:
    assert spec_of(name).gpu == gpu


@pytest.mark.parametrize(
    ("value", "gpu"),
    [
        ("all", GpuRequest(count=-1, driver="nvidia", capabilities=(("gpu",),))),
        ("0,1", GpuRequest(device_ids=("0", "1"), driver="nvidia", capabilities=(("gpu",),))),
        ("nvidia.com/gpu=0", GpuRequest(cdi_devices=("nvidia.com/gpu=0",))),
        ("none", None),
    ],
)
def test_the_nvidia_runtime(value: str, gpu: GpuRequest | None) -> None:
    item = container("plain")
    item["HostConfig"]["Runtime"] = "nvidia"
    item["Config"]["Env"].append(f"NVIDIA_VISIBLE_DEVICES={value}")
    spec = workload_spec(item, image_of("plain"), DEFAULTS)
    assert spec.gpu == gpu
    assert spec.resources.runtime == "nvidia"
    assert not spec.unmapped


def test_the_variable_alone_is_no_gpu() -> None:
    item = container("plain")
    item["Config"]["Env"].append("NVIDIA_VISIBLE_DEVICES=all")
    assert workload_spec(item, image_of("plain"), DEFAULTS).gpu is None


def test_published_all_and_exposed() -> None:
    spec = spec_of("web")
    assert (spec.ports, spec.network.publish_all) == ((), True)  # the image's own port, like every other
    item = container("web")
    item["HostConfig"]["PublishAllPorts"] = False
    item["Config"]["ExposedPorts"]["90/tcp"] = {}
    assert workload_spec(item, image_of("web"), DEFAULTS).ports == (Port(90),)


def test_an_image_that_is_gone_is_said() -> None:
    spec = workload_spec(container("plain"), None, DEFAULTS)
    assert "Image" in paths(spec)
    assert spec.command == ("sleep", "3600")
    assert spec.image == "docker.io/test/busybox:1"


def test_a_container_made_by_image_id() -> None:
    item, image = container("plain"), image_of("plain")
    for asked in (item["Image"], item["Image"].removeprefix("sha256:")[:12]):
        item["Config"]["Image"] = asked
        assert workload_spec(item, image, DEFAULTS).image == "docker.io/test/busybox:1"
    assert workload_spec(item, {**image, "RepoTags": []}, DEFAULTS).image == item["Image"]


@pytest.mark.parametrize(
    ("mine", "its", "entrypoint", "command"),
    [
        ((None, ["a"]), (None, ["a"]), None, None),
        ((None, ["b"]), (None, ["a"]), None, ("b",)),
        ((["e"], ["a"]), (["e"], ["a"]), None, None),
        ((["e"], ["b"]), (["e"], ["a"]), None, ("b",)),
        ((["x"], None), (["e"], ["a"]), ("x",), None),
        ((["x"], ["a"]), (["e"], ["a"]), ("x",), ("a",)),
        ((None, ["a"]), (["e"], None), (), ("a",)),
        ((["e"], None), (["e"], ["a"]), ("e",), None),
    ],
)
def test_entrypoint_and_command(mine: Any, its: Any, entrypoint: Any, command: Any) -> None:
    item, image = container("plain"), image_of("plain")
    item["Config"] |= {"Entrypoint": mine[0], "Cmd": mine[1]}
    image["Config"] |= {"Entrypoint": its[0], "Cmd": its[1]}
    spec = workload_spec(item, image, DEFAULTS)
    assert (spec.entrypoint, spec.command) == (entrypoint, command)
    # Docker's own rule, daemon/commit.go merge: what comes out of creating it again is what was there.
    body = create_body(spec)
    again = (body.get("Entrypoint"), body.get("Cmd"))
    kept = (its[0], again[1] or its[1])
    merged = kept if again[0] is None else (None if again[0] == [""] else again[0], again[1])
    assert (merged[0] or None, merged[1] or None) == (mine[0], mine[1])


def test_a_quota_is_a_limit_in_other_words() -> None:
    item = container("plain")
    item["HostConfig"] |= {"CpuQuota": 150_000, "CpuPeriod": 100_000}
    spec = workload_spec(item, image_of("plain"), DEFAULTS)
    assert spec.cpus_nano == 1_500_000_000
    assert not spec.unmapped


def test_variables_and_labels_taken_from_the_image_are_said() -> None:
    item = container("plain")
    item["Config"] |= {"Env": [], "Labels": {}}
    spec = workload_spec(item, image_of("plain"), DEFAULTS)
    assert paths(spec) == {"Config.Labels[engines.test]"}
    assert spec.process.unset_env == ("PATH",)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"Binds": ["/tmp/testdir:/host:ro,odd"]}, "HostConfig.Binds[/host]"),
        ({"Binds": ["/tmp/testdir:/host:cached"]}, "HostConfig.Binds[/host].Consistency"),
        ({"Binds": ["/tmp/testdir:/elsewhere"]}, "HostConfig.Binds[/elsewhere]"),
        ({"Mounts": [{"Type": "tmpfs", "Target": "/t"}]}, "HostConfig.Mounts[/t]"),
        (
            {"Mounts": [{"Type": "volume", "Target": "/data", "VolumeOptions": {"Labels": {"a": "b"}}}]},
            "HostConfig.Mounts[/data].VolumeOptions",
        ),
        ({"SecurityOpt": ["seccomp=builtin"]}, "HostConfig.SecurityOpt[0]"),
        ({"SecurityOpt": ["writable-cgroups=true"]}, "HostConfig.SecurityOpt[0]"),
        ({"KernelMemory": 1 << 20}, "HostConfig.KernelMemory"),
        ({"VolumesFrom": ["other"]}, "HostConfig.VolumesFrom"),
        ({"Init": False}, "HostConfig.Init"),
        ({"PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8000-8010"}]}}, "HostConfig.PortBindings[80/tcp]"),
        ({"DeviceRequests": [{"Driver": "fpga", "Count": 1}]}, "HostConfig.DeviceRequests[0]"),
        ({"RestartPolicy": {"Name": "always", "MaximumRetryCount": 3}}, "HostConfig.RestartPolicy.MaximumRetryCount"),
        ({"RestartPolicy": {"Name": "sometimes"}}, "HostConfig.RestartPolicy"),
        ({"FromTheFuture": {"a": 1}}, "HostConfig.FromTheFuture"),
    ],
)
def test_partly_carried_settings_are_said(change: dict[str, Any], path: str) -> None:
    item = container("full")
    item["HostConfig"] |= change
    assert path in paths(workload_spec(item, image_of("full"), DEFAULTS))


@pytest.mark.parametrize(
    ("change", "group", "value"),
    [
        ({"MemorySwap": -1}, "resources", {"memory_swap_bytes": UNLIMITED}),
        ({"MemorySwappiness": 0}, "resources", {"memory_swappiness": 0}),
        ({"CpuPeriod": 50_000, "CpuQuota": 1000}, "resources", {"cpu_period_us": 50_000, "cpu_quota_us": 1000}),
        ({"Runtime": "kata"}, "resources", {"runtime": "kata"}),
        ({"PidsLimit": -1}, "resources", {}),
        ({"StorageOpt": {"size": "20G"}}, "resources", {"storage": {"size": "20G"}}),
        ({"CgroupParent": "/team"}, "resources", {"cgroup_parent": "/team"}),
        ({"MaskedPaths": [], "ReadonlyPaths": []}, "security", {"unmask": ("ALL",)}),
        ({"MaskedPaths": None, "ReadonlyPaths": None, "Privileged": True}, "security", {"privileged": True}),
        ({"Privileged": True, "SecurityOpt": ["label=disable"]}, "security", {"privileged": True}),
        ({"SecurityOpt": ["label:type:x", "apparmor=mine"]}, "security", {"selinux": ("type:x",), "apparmor": "mine"}),
        ({"CapAdd": ["net_admin", "ALL"]}, "security", {"cap_add": ("CAP_NET_ADMIN", "ALL")}),
        ({"IpcMode": "shareable"}, "namespaces", {"ipc": "shareable"}),
        ({"CgroupnsMode": "host"}, "namespaces", {}),
        ({"CgroupnsMode": "private"}, "namespaces", {"cgroup": "private"}),
        ({"UTSMode": "host"}, "namespaces", {"uts": "host"}),
        ({"NetworkMode": "host"}, "network", {"mode": "host"}),
        ({"Links": ["/db:/test-plain/store"]}, "network", {"links": ("db:store",)}),
    ],
)
def test_settings_of_the_host(change: dict[str, Any], group: str, value: dict[str, Any]) -> None:
    item = container("plain")
    item["HostConfig"] |= change
    if "NetworkMode" in change:
        item["NetworkSettings"]["Networks"] = {change["NetworkMode"]: {}}
    spec = workload_spec(item, image_of("plain"), DEFAULTS)
    seen = getattr(spec, group)
    assert seen == replace(type(seen)(), **value)
    assert not spec.unmapped


def test_a_partner_is_named() -> None:
    item = container("plain")
    partner = "a" * 64
    item["HostConfig"] |= {"IpcMode": f"container:{partner}", "PidMode": f"container:{partner}"}
    assert partners(item) == {partner}
    spec = workload_spec(item, image_of("plain"), DEFAULTS, {partner: "db"})
    assert (spec.namespaces.ipc, spec.namespaces.pid) == ("container:db", "container:db")


def _on_bridge(mac: str, *, running: bool, more: dict[str, Any] | None = None, configured: str = "") -> WorkloadSpec:
    item = container("sleep")
    item["State"]["Running"] = running
    item["Config"]["MacAddress"] = configured
    item["NetworkSettings"]["Networks"]["bridge"] |= {"MacAddress": mac, "IPAddress": "172.17.0.3"} | (more or {})
    return workload_spec(item, image_of("sleep"), DEFAULTS)


@pytest.mark.parametrize(
    ("mac", "running", "more", "configured", "found"),
    [
        ("02:aa:bb:cc:dd:ee", True, {}, "", "02:aa:bb:cc:dd:ee"),
        ("02:42:ac:11:00:03", True, {}, "", ""),  # made from the address
        ("02:42:ac:11:00:03", False, {}, "", "02:42:ac:11:00:03"),  # a stopped one has none but what was asked for
        ("02:aa:bb:cc:dd:ee", True, {"GwPriority": 0}, "", ""),  # Docker 28 makes up any
        ("02:aa:bb:cc:dd:ee", True, {"GwPriority": 0}, "02:aa:bb:cc:dd:ee", "02:aa:bb:cc:dd:ee"),
        ("", False, {}, "", ""),
    ],
)
def test_a_mac_address_is_carried_where_it_was_asked_for(
    mac: str, running: bool, more: dict[str, Any], configured: str, found: str
) -> None:
    spec = _on_bridge(mac, running=running, more=more, configured=configured)
    assert (spec.network.mac, spec.network.networks) == (found, ())
    assert not spec.unmapped
