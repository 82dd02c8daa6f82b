"""Any setting of any container is in the recipe or in `unmapped`; and creating turns the recipe back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from backends.engines.docker_create import create_body
from backends.engines.docker_defaults import CARRIED, FACTS, HostDefaults, is_default
from backends.engines.docker_recipe import workload_spec
from backends.model.container import MountKind, Port
from backends.model.workload import GpuRequest, MountSpec, RestartName, RestartPolicy, WorkloadSpec
from tests.unit.docker.recorded import CONTAINERS, container, image_of

DEFAULTS = HostDefaults("1", "runc", "json-file")

ODD = st.one_of(
    st.text("abcxyz/:=,", min_size=1, max_size=8),
    st.integers(3, 1 << 40),
    st.lists(st.text("abc", min_size=1, max_size=5), min_size=1, max_size=3),
    st.dictionaries(
        st.text("abc", min_size=1, max_size=5), st.text("abc", min_size=1, max_size=5), min_size=1, max_size=3
    ),
)
_NAME = st.text("abc", min_size=1, max_size=5)
_NAMES = st.lists(_NAME, min_size=1, max_size=3)
_PAIRS = st.dictionaries(_NAME, _NAME, min_size=1, max_size=3)
_RATES = st.lists(st.fixed_dictionaries({"Path": st.just("/dev/sda"), "Rate": st.integers(1, 99)}), min_size=1)
_PORTS = st.integers(1, 65535)
# Values of the right shape for keys that the recipe looks at, since Docker itself guarantees their types.
SHAPED: dict[str, st.SearchStrategy[Any]] = {
    "Config.Image": st.sampled_from(["other:1", "quay.io/a/b"]),
    "Config.Cmd": st.lists(st.text(min_size=1), min_size=1, max_size=3),
    "Config.Entrypoint": st.lists(st.text(min_size=1), min_size=1, max_size=3),
    "Config.Env": st.lists(st.from_regex(r"[A-Z]{1,5}=[a-z]{0,5}", fullmatch=True), min_size=1, max_size=3),
    "Config.Labels": st.dictionaries(_NAME, st.text(), min_size=1),
    "Config.User": st.text("abc123", min_size=1),
    "Config.WorkingDir": st.text("abc/", min_size=2),
    "Config.Hostname": _NAME,
    "Config.Domainname": _NAME,
    "Config.Tty": st.just(True),
    "Config.OpenStdin": st.just(True),
    "Config.StdinOnce": st.just(True),
    "Config.NetworkDisabled": st.just(True),
    "Config.MacAddress": st.just("02:42:c6:12:00:08"),
    "Config.StopSignal": st.sampled_from(["SIGINT", "USR1", "3"]),
    "Config.StopTimeout": st.sampled_from([-1, 0, 7]),
    "Config.Healthcheck": st.fixed_dictionaries({"Test": st.just(["CMD", "true"])})
    | st.just({"Interval": 5})
    | st.just({"Test": ["NONE"]}),
    "Config.ExposedPorts": st.dictionaries(_PORTS.map("{}/tcp".format), st.just(dict[str, str]()), min_size=1),
    "Config.Volumes": st.dictionaries(_NAME.map("/{}".format), st.just(dict[str, str]()), min_size=1),
    "HostConfig.Binds": st.lists(
        st.from_regex(r"/[a-z]{1,4}:/[a-z]{1,4}(:ro|:z)?", fullmatch=True), min_size=1, max_size=3
    ),
    "HostConfig.Mounts": st.lists(
        st.fixed_dictionaries({"Type": st.just("tmpfs"), "Target": st.just("/t")}), min_size=1
    ),
    "HostConfig.Tmpfs": st.dictionaries(_NAME.map("/{}".format), st.sampled_from(["", "size=5m,noexec"]), min_size=1),
    "HostConfig.PortBindings": st.dictionaries(
        _PORTS.map("{}/udp".format),
        st.lists(
            st.fixed_dictionaries({"HostIp": st.just(""), "HostPort": st.sampled_from(["", "80", "1-2"])}), min_size=1
        ),
        min_size=1,
    ),
    "HostConfig.PublishAllPorts": st.just(True),
    "HostConfig.RestartPolicy": st.fixed_dictionaries({"Name": st.sampled_from(["always", "on-failure", "odd"])}),
    "HostConfig.AutoRemove": st.just(True),
    "HostConfig.Annotations": _PAIRS,
    **{
        f"HostConfig.{key}": st.integers(1, 1 << 40)
        for key in (
            *("Memory", "MemoryReservation", "MemorySwap", "NanoCpus", "CpuShares", "CpuRealtimePeriod"),
            *("CpuRealtimeRuntime", "PidsLimit", "BlkioWeight", "OomScoreAdj", "MemorySwappiness"),
        )
    },
    "HostConfig.OomKillDisable": st.just(True),
    "HostConfig.CpuQuota": st.integers(1000, 1 << 30),
    "HostConfig.CpuPeriod": st.integers(1000, 1 << 20),
    "HostConfig.CpusetCpus": st.just("0-1"),
    "HostConfig.CpusetMems": st.just("0"),
    "HostConfig.BlkioWeightDevice": st.just([{"Path": "/dev/sda", "Weight": 7}]),
    **{f"HostConfig.BlkioDevice{kind}": _RATES for kind in ("ReadBps", "WriteBps", "ReadIOps", "WriteIOps")},
    "HostConfig.Ulimits": st.just([{"Name": "nofile", "Soft": 1, "Hard": 2}]),
    "HostConfig.Sysctls": _PAIRS,
    "HostConfig.StorageOpt": _PAIRS,
    "HostConfig.CgroupParent": _NAME,
    "HostConfig.Runtime": st.sampled_from(["kata", "nvidia"]),
    "HostConfig.DeviceRequests": st.lists(
        st.fixed_dictionaries({"Driver": st.sampled_from(["cdi", "", "odd"]), "DeviceIDs": st.just(["a/b=c"])}),
        min_size=1,
    ),
    "HostConfig.Devices": st.just([{"PathOnHost": "/dev/a", "PathInContainer": "/dev/b", "CgroupPermissions": "r"}]),
    "HostConfig.DeviceCgroupRules": st.just(["c 1:3 mr"]),
    "HostConfig.Privileged": st.just(True),
    "HostConfig.CapAdd": _NAMES,
    "HostConfig.CapDrop": _NAMES,
    "HostConfig.SecurityOpt": st.lists(
        st.sampled_from(
            ["no-new-privileges", "label=disable", "seccomp=unconfined", "seccomp=builtin", "apparmor=x", "a"]
        ),
        min_size=1,
    ),
    "HostConfig.MaskedPaths": st.just([]) | st.just(["/proc/odd"]),
    "HostConfig.ReadonlyPaths": st.just(["/proc/bus"]),
    "HostConfig.ReadonlyRootfs": st.just(True),
    "HostConfig.GroupAdd": _NAMES,
    "HostConfig.LogConfig": st.just({"Type": "local", "Config": {}})
    | st.just({"Type": "json-file", "Config": {"max-size": "1m"}}),
    "HostConfig.NetworkMode": st.sampled_from(["none", "host", "container:db"]),
    "HostConfig.Dns": _NAMES,
    "HostConfig.DnsSearch": _NAMES,
    "HostConfig.DnsOptions": _NAMES,
    "HostConfig.ExtraHosts": _NAMES,
    "HostConfig.Links": st.just(["/db:/test-plain/store"]),
    "HostConfig.IpcMode": st.sampled_from(["host", "shareable", "container:db"]),
    "HostConfig.PidMode": st.sampled_from(["host", "container:db"]),
    "HostConfig.UTSMode": st.just("host"),
    "HostConfig.UsernsMode": st.just("host"),
    "HostConfig.CgroupnsMode": st.just("private"),
    "HostConfig.ShmSize": st.integers(1, 1 << 20),
    "HostConfig.Init": st.booleans(),
}


def test_every_setting_that_the_recipe_looks_at_is_drawn() -> None:
    assert set(SHAPED) >= CARRIED


KEYS = sorted(
    {
        f"{section}.{key}"
        for name in CONTAINERS
        for section in ("Config", "HostConfig", "NetworkSettings")
        for key in container(name)[section]
        if f"{section}.{key}" not in FACTS
    }
    | CARRIED
    | {"HostConfig.NewIn2031", "Config.NewIn2031", "NetworkSettings.NewIn2031"}
)


@given(st.data(), st.sampled_from(KEYS))
def test_any_setting_is_in_the_recipe_or_reported(data: st.DataObject, path: str) -> None:
    section, key = path.split(".")
    item = container("plain")
    before = workload_spec(item, image_of("plain"), DEFAULTS)
    value = data.draw(SHAPED.get(path, ODD))
    if is_default(path, value) or item[section].get(key) == value:
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
