"""Whatever is configured is in the recipe or in `unmapped`, never lost."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.engines.docker_create import create_body
from backends.engines.docker_defaults import FACTS, HostDefaults, is_default
from backends.engines.docker_recipe import workload_spec
from backends.model.container import MountKind, Port
from backends.model.workload import GpuRequest, MountSpec, RestartName, RestartPolicy, WorkloadSpec
from tests.unit.docker.recorded import CONTAINERS, container, image_of

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
    ]
    assert paths(spec) == {
        *("Config.Healthcheck", "Config.StopSignal", "Config.StopTimeout"),
        *(f"HostConfig.{key}" for key in ("Annotations", "CapAdd", "CapDrop", "Devices", "Dns", "ExtraHosts")),
        *(f"HostConfig.{key}" for key in ("GroupAdd", "Init", "LogConfig", "NetworkMode", "OomScoreAdj", "PidsLimit")),
        *(f"HostConfig.{key}" for key in ("ReadonlyRootfs", "SecurityOpt", "ShmSize", "Sysctls", "Tmpfs", "Ulimits")),
        "NetworkSettings.Networks[test-net]",
    }
    assert all(field.reason and json.loads(field.value) is not None for field in spec.unmapped)


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
    assert ("HostConfig.Runtime" in paths(spec)) is (gpu is None)


def test_the_variable_alone_is_no_gpu() -> None:
    item = container("plain")
    item["Config"]["Env"].append("NVIDIA_VISIBLE_DEVICES=all")
    assert workload_spec(item, image_of("plain"), DEFAULTS).gpu is None


def test_published_all_and_exposed() -> None:
    spec = spec_of("web")
    assert spec.ports == (Port(80, host_port=0),)
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
    assert paths(workload_spec(item, image_of("plain"), DEFAULTS)) == {
        "Config.Env[PATH]",
        "Config.Labels[engines.test]",
    }


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"Binds": ["/tmp/testdir:/host:ro,Z"]}, "HostConfig.Binds[/host]"),
        ({"Binds": ["/tmp/testdir:/elsewhere"]}, "HostConfig.Binds[/elsewhere]"),
        ({"Mounts": [{"Type": "tmpfs", "Target": "/t"}]}, "HostConfig.Mounts[/t]"),
        (
            {"Mounts": [{"Type": "volume", "Target": "/data", "VolumeOptions": {"Labels": {"a": "b"}}}]},
            "HostConfig.Mounts[/data].VolumeOptions",
        ),
        ({"MaskedPaths": []}, "HostConfig.MaskedPaths"),
        ({"MemorySwap": -1}, "HostConfig.MemorySwap"),
        ({"MemorySwappiness": 0}, "HostConfig.MemorySwappiness"),
        ({"Init": False}, "HostConfig.Init"),
        ({"PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8000-8010"}]}}, "HostConfig.PortBindings[80/tcp]"),
        ({"DeviceRequests": [{"Driver": "fpga", "Count": 1}]}, "HostConfig.DeviceRequests[0]"),
        ({"Runtime": "kata"}, "HostConfig.Runtime"),
        ({"CpuPeriod": 1000}, "HostConfig.CpuPeriod"),
        ({"RestartPolicy": {"Name": "sometimes"}}, "HostConfig.RestartPolicy"),
        ({"FromTheFuture": {"a": 1}}, "HostConfig.FromTheFuture"),
    ],
)
def test_partly_carried_settings_are_said(change: dict[str, Any], path: str) -> None:
    item = container("full")
    item["HostConfig"] |= change
    assert path in paths(workload_spec(item, image_of("full"), DEFAULTS))


def test_a_mac_address_that_was_asked_for_is_said() -> None:
    item = container("sleep")
    item["NetworkSettings"]["Networks"]["bridge"]["MacAddress"] = "02:aa:bb:cc:dd:ee"
    assert paths(workload_spec(item, image_of("sleep"), DEFAULTS)) == {"NetworkSettings.Networks[bridge].MacAddress"}


ODD = st.one_of(
    st.text("abcxyz/:=,", min_size=1, max_size=8),
    st.integers(3, 1 << 40),
    st.lists(st.text("abc", min_size=1, max_size=5), min_size=1, max_size=3),
    st.dictionaries(
        st.text("abc", min_size=1, max_size=5), st.text("abc", min_size=1, max_size=5), min_size=1, max_size=3
    ),
)
# Values of the right shape for keys that the recipe carries, since Docker itself guarantees their types.
SHAPED: dict[str, st.SearchStrategy[Any]] = {
    "Config.Image": st.sampled_from(["other:1", "quay.io/a/b"]),
    "Config.Cmd": st.lists(st.text(min_size=1), min_size=1, max_size=3),
    "Config.Entrypoint": st.lists(st.text(min_size=1), min_size=1, max_size=3),
    "Config.Env": st.lists(st.from_regex(r"[A-Z]{1,5}=[a-z]{0,5}", fullmatch=True), min_size=1, max_size=3),
    "Config.Labels": st.dictionaries(st.text("abc", min_size=1), st.text(), min_size=1),
    "Config.User": st.text("abc123", min_size=1),
    "Config.WorkingDir": st.text("abc/", min_size=2),
    "Config.Hostname": st.text("abc", min_size=1),
    "Config.Tty": st.just(True),
    "Config.OpenStdin": st.just(True),
    "Config.ExposedPorts": st.dictionaries(
        st.integers(1, 65535).map("{}/tcp".format), st.just(dict[str, str]()), min_size=1
    ),
    "Config.Volumes": st.dictionaries(
        st.text("abc", min_size=1).map("/{}".format), st.just(dict[str, str]()), min_size=1
    ),
    "HostConfig.Binds": st.lists(
        st.from_regex(r"/[a-z]{1,4}:/[a-z]{1,4}(:ro|:z)?", fullmatch=True), min_size=1, max_size=3
    ),
    "HostConfig.Mounts": st.lists(
        st.fixed_dictionaries({"Type": st.just("tmpfs"), "Target": st.just("/t")}), min_size=1
    ),
    "HostConfig.PortBindings": st.dictionaries(
        st.integers(1, 65535).map("{}/udp".format),
        st.lists(
            st.fixed_dictionaries({"HostIp": st.just(""), "HostPort": st.sampled_from(["", "80", "1-2"])}), min_size=1
        ),
        min_size=1,
    ),
    "HostConfig.PublishAllPorts": st.just(True),
    "HostConfig.RestartPolicy": st.fixed_dictionaries({"Name": st.sampled_from(["always", "on-failure", "odd"])}),
    "HostConfig.Memory": st.integers(1, 1 << 40),
    "HostConfig.NanoCpus": st.integers(1, 1 << 40),
    "HostConfig.CpuQuota": st.integers(1000, 1 << 30),
    "HostConfig.CpuPeriod": st.integers(1000, 1 << 20),
    "HostConfig.DeviceRequests": st.lists(
        st.fixed_dictionaries({"Driver": st.sampled_from(["cdi", "", "odd"]), "DeviceIDs": st.just(["a/b=c"])}),
        min_size=1,
    ),
    "HostConfig.Runtime": st.sampled_from(["kata", "nvidia"]),
}
KEYS = sorted(
    {
        f"{section}.{key}"
        for name in CONTAINERS
        for section in ("Config", "HostConfig", "NetworkSettings")
        for key in container(name)[section]
        if f"{section}.{key}" not in FACTS
    }
    | {"HostConfig.NewIn2031", "Config.NewIn2031", "NetworkSettings.NewIn2031"}
)


@given(st.data(), st.sampled_from(KEYS))
def test_any_setting_is_in_the_recipe_or_reported(data: st.DataObject, path: str) -> None:
    section, key = path.split(".")
    item = container("plain")
    before = workload_spec(item, image_of("plain"), DEFAULTS)
    value = data.draw(SHAPED.get(path, ODD))
    if is_default(path, value, item["HostConfig"], DEFAULTS) or item[section].get(key) == value:
        return
    item[section][key] = value
    after = workload_spec(item, image_of("plain"), DEFAULTS)
    said = replace(after, unmapped=()) != replace(before, unmapped=())
    reported = any(field.path == path or field.path.startswith(f"{path}[") for field in after.unmapped)
    assert said or reported


TEXT = st.text("abcdef-", min_size=1, max_size=8)
SPECS = st.builds(
    WorkloadSpec,
    name=TEXT,
    image=st.just("docker.io/test/busybox:1"),
    command=st.none() | st.lists(TEXT, min_size=1, max_size=3).map(tuple),
    entrypoint=st.none() | st.lists(TEXT, min_size=1, max_size=2).map(tuple),
    env=st.dictionaries(st.text("ABC", min_size=1, max_size=3), TEXT, max_size=3),
    labels=st.dictionaries(st.text("abc", min_size=1, max_size=3), TEXT, max_size=3),
    user=st.none() | TEXT,
    workdir=st.none() | TEXT.map("/{}".format),
    hostname=st.none() | TEXT,
    tty=st.booleans(),
    stdin_open=st.booleans(),
    ports=st.lists(
        st.builds(Port, st.integers(1, 65535), st.sampled_from(["tcp", "udp"]), st.just(""), st.integers(0, 65535)),
        max_size=3,
        unique_by=lambda port: (port.container_port, port.protocol),
    ).map(lambda found: tuple(sorted(found, key=lambda port: (port.container_port, port.protocol)))),
    mounts=st.lists(
        st.builds(
            MountSpec, st.sampled_from([MountKind.BIND, MountKind.VOLUME]), TEXT, TEXT.map("/{}".format), st.booleans()
        ),
        max_size=3,
        unique_by=lambda mount: mount.destination,
    ).map(lambda found: tuple(sorted(found, key=lambda mount: mount.destination))),
    restart=st.builds(RestartPolicy, st.just(RestartName.ON_FAILURE), st.integers(0, 9)) | st.just(RestartPolicy()),
    memory_bytes=st.integers(0, 1 << 40),
    cpus_nano=st.integers(0, 1 << 40),
    gpu=st.none()
    | st.builds(GpuRequest, cdi_devices=st.lists(TEXT, min_size=1, max_size=2).map(tuple))
    | st.just(GpuRequest(count=-1, capabilities=(("gpu",),))),
)


@given(SPECS)
def test_create_and_inspect_are_inverse(spec: WorkloadSpec) -> None:
    """What Docker's inspect would say of a container made from the recipe gives the recipe again."""
    body = create_body(spec)
    image = image_of("plain")
    base = image["Config"]
    host = body.pop("HostConfig")
    entrypoint, command = body.get("Entrypoint"), body.get("Cmd")
    if entrypoint is None:
        entrypoint, command = base["Entrypoint"], command or base["Cmd"]
    config = {
        **base,
        **body,
        "Entrypoint": entrypoint,
        "Cmd": command,
        "Env": [*body["Env"], *base["Env"]],
        "Labels": {**base["Labels"], **body["Labels"]},
    }
    mounted = [
        {"Type": one["Type"], "Destination": one["Target"], "RW": not one["ReadOnly"], "Source": one["Source"]}
        | ({"Name": one["Source"], "Driver": "local"} if one["Type"] == "volume" else {})
        for one in host["Mounts"]
    ]
    item = {
        **container("plain"),
        "Name": f"/{spec.name}",
        "Config": config,
        "HostConfig": {**container("plain")["HostConfig"], **host},
        "Mounts": mounted,
    }
    again = workload_spec(item, image, DEFAULTS)
    assert replace(again, image_id="") == spec
