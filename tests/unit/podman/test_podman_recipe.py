"""inspect JSON as a recipe: nothing of the image or of Podman in it, and nothing that a person set left out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.engines.podman_command import pairs_of
from backends.engines.podman_defaults import CARRIED, EMPTY, OBSERVED, HostDefaults, is_default
from backends.engines.podman_recipe import MADE_BY, partners, workload_spec
from backends.model.container import MountKind, Port
from backends.model.settings import HealthSpec, LogSpec, NetworkAttachment, NetworkingSpec, Ulimit
from backends.model.workload import MountSpec, RestartName, RestartPolicy, WorkloadSpec
from tests.unit.podman.recorded import MODES, host, recorded


def _spec(inspect: Any, mode: str = "rootful", image: str = "busybox") -> WorkloadSpec:
    return workload_spec(inspect, recorded(mode, f"image-{image}"), host(mode))


def _paths(spec: WorkloadSpec) -> dict[str, str]:
    return {field.path: field.value for field in spec.unmapped}


@pytest.mark.parametrize("mode", MODES)
def test_a_plain_container_is_its_image_and_command(mode: str) -> None:
    spec = _spec(recorded(mode, "inspect-plain"), mode)
    assert spec == WorkloadSpec(
        name="test-plain", image="docker.io/test/busybox:1", image_id=spec.image_id, command=("sleep", "1000")
    )
    assert len(spec.image_id) == 64


@pytest.mark.parametrize("mode", MODES)
def test_everything_set_by_hand_is_carried_or_reported(mode: str) -> None:
    spec = _spec(recorded(mode, "inspect-full"), mode)
    assert spec.env == {"A": "1", "B": "", "HOME": "/x"}
    assert spec.labels == {"app": "x"}
    assert (spec.entrypoint, spec.command) == (("/bin/sh", "-c"), ("sleep 1000",))
    assert (spec.user, spec.workdir, spec.hostname, spec.tty, spec.stdin_open) == ("1:2", "/tmp", "hh", True, True)
    assert spec.restart == RestartPolicy(RestartName.ON_FAILURE, 3)
    assert {mount.destination: mount for mount in spec.mounts}["/data"] == MountSpec(
        MountKind.VOLUME, "testvol", "/data", True
    )
    assert {mount.destination for mount in spec.mounts if mount.anonymous} == {"/anon"}
    assert Port(81, "udp", "127.0.0.1", 18081) in spec.ports
    assert Port(99) in spec.ports
    assert spec.gpu is not None
    assert spec.gpu.cdi_devices == ("nvidia.com/gpu=0",)
    limits = (67108864, 500_000_000) if mode == "rootful" else (0, 0)  # rootless on cgroup v1 drops them itself
    assert (spec.memory_bytes, spec.cpus_nano) == limits
    assert spec.process.init
    assert (spec.process.stop_signal, spec.process.stop_timeout_s) == ("SIGINT", 3)
    assert dict(spec.process.annotations) == {"a.b": "c"}
    assert (spec.network.dns, spec.network.extra_hosts) == (("1.1.1.1",), ("foo:1.2.3.4",))
    assert spec.namespaces.shm_bytes == 10 << 20
    assert (spec.security.cap_add, spec.security.cap_drop) == (("CAP_NET_ADMIN",), ("CAP_MKNOD",))
    assert spec.security.no_new_privileges
    assert spec.security.read_only_rootfs
    assert spec.resources.ulimits == (Ulimit("nofile", 100, 200),)
    assert spec.resources.pids_limit == (77 if mode == "rootful" else None)
    assert spec.health == HealthSpec(("CMD-SHELL", "true"))
    assert spec.log == LogSpec("", {"max-size": "1m"})
    assert {m.destination: m.size_bytes for m in spec.mounts if m.kind is MountKind.TMPFS} == {"/t": 1 << 20, "/t2": 0}
    # Rootless on cgroup v1: asked for, and not applied; said all the same.
    lost = {f"Config.CreateCommand[--{name}]" for name in ("memory", "cpus", "pids-limit")}
    assert set(_paths(spec)) == (lost if mode == "rootless" else set())


def test_what_started_containers_get_from_podman_and_cdi_stays_behind() -> None:
    spec = _spec(recorded("rootful", "inspect-cdi"))
    assert spec.env == {"Z": "1", "HOME": "/root", "A": "2", "B": "3", "C": "4", "D": "5"}
    assert _paths(spec) == {}
    assert _spec(recorded("rootful", "inspect-api")).env == {}
    assert _spec(recorded("rootful", "inspect-run"), image="web").env == {}


def test_an_api_made_container_leaves_its_rlimits_in_doubt_unless_it_is_ours() -> None:
    inspect = recorded("rootful", "inspect-made")
    assert set(_paths(_spec(inspect))) == {"HostConfig.Ulimits"}
    inspect["Config"]["Annotations"] = {MADE_BY: "[]"}
    assert _paths(_spec(inspect)) == {}


def test_our_annotation_tells_which_variables_were_asked_for() -> None:
    inspect = recorded("rootful", "inspect-api")
    inspect["Config"]["Env"] = ["A=1", "HOME=/root", "HOSTNAME=x", "B=2", "http_proxy=p"]
    inspect["Config"]["Annotations"] = {MADE_BY: '["A", "HOME"]'}
    spec = _spec(inspect)
    assert spec.env == {"A": "1", "HOME": "/root"}
    inspect["Config"]["Annotations"] = {MADE_BY: '{"env": ["A"], "asked": {}}'}
    assert _spec(inspect).env == {"A": "1"}


@pytest.mark.parametrize("text", ["", "{", "7", '{"env": 1, "asked": {}}', '{"env": []}', "[" * 100_000])
def test_an_annotation_that_is_not_ours_tells_nothing(text: str) -> None:
    inspect = recorded("rootful", "inspect-plain")
    before = _spec(inspect)
    inspect["Config"]["Annotations"] = {MADE_BY: text}
    assert _spec(inspect) == before


@pytest.mark.parametrize("form", [["-e", "X=1"], ["--env", "X=1"], ["--env=X=1"], ["-eX=1"], ["-dite", "X=1"]])
def test_variables_of_the_command_line_in_all_forms(form: list[str]) -> None:
    inspect = recorded("rootful", "inspect-plain")
    inspect["Config"]["CreateCommand"][2:2] = form
    inspect["Config"]["Env"] += ["X=1", "https_proxy=inherited"]
    assert _spec(inspect).env == {"X": "1"}


def test_an_env_file_tells_no_names_so_all_are_carried() -> None:
    inspect = recorded("rootful", "inspect-plain")
    inspect["Config"]["CreateCommand"][2:2] = ["--env-file", "f"]
    inspect["Config"]["Env"] += ["X=1"]
    assert _spec(inspect).env == {"X": "1"}


def test_an_entrypoint_by_hand_drops_the_images_command() -> None:
    inspect, image = recorded("rootful", "inspect-plain"), recorded("rootful", "image-busybox")
    image["Config"]["Entrypoint"] = ["/init"]
    inspect["Config"]["Cmd"] = None
    spec = workload_spec(inspect, image, host("rootful"))
    assert (spec.entrypoint, spec.command) == ((), ())
    inspect["Config"]["Entrypoint"] = "/init"  # Podman 4 writes one word
    assert workload_spec(inspect, image, host("rootful")).entrypoint is None


def test_a_variable_of_the_image_that_the_container_lacks_is_unset() -> None:
    inspect = recorded("rootful", "inspect-run")
    inspect["Config"]["Env"] = [word for word in inspect["Config"]["Env"] if not word.startswith("APP=")]
    assert _spec(inspect, image="web").process.unset_env == ("APP",)


def test_an_image_without_a_name_keeps_its_id() -> None:
    inspect, image = recorded("rootful", "inspect-plain"), recorded("rootful", "image-busybox")
    inspect["ImageName"] = inspect["Image"]
    assert workload_spec(inspect, image, host("rootful")).image == "docker.io/test/busybox:1"
    image["RepoTags"] = []
    assert workload_spec(inspect, image, host("rootful")).image == inspect["Image"]


def test_networks_beyond_the_default_are_carried() -> None:
    inspect = recorded("rootful", "inspect-plain")
    networks = inspect["NetworkSettings"]["Networks"]
    networks["podman"]["Aliases"].append("db")
    networks["mine"] = {"Aliases": None}
    assert _spec(inspect).network == NetworkingSpec(
        "bridge", networks=(NetworkAttachment("podman", ("db",)), NetworkAttachment("mine"))
    )
    inspect["HostConfig"]["NetworkMode"] = "host"
    assert _spec(inspect).network == NetworkingSpec("host")


def test_shared_namespaces_name_their_partner() -> None:
    inspect = recorded("rootful", "inspect-plain")
    other, third = "ab" * 32, "cd" * 32
    inspect["HostConfig"] |= {"NetworkMode": f"container:{other}", "IpcMode": f"container:{third}"}
    inspect["Dependencies"] = [other, third]
    assert partners(inspect) == (other, third)
    spec = workload_spec(inspect, recorded("rootful", "image-busybox"), host("rootful"), {other: "db", third: "shm"})
    assert (spec.network.mode, spec.namespaces.ipc, spec.unmapped) == ("container:db", "container:shm", ())
    inspect["Dependencies"].append("ef" * 32)
    assert set(_paths(_spec(inspect))) == {"Dependencies"}


def test_mount_details_are_carried_or_told() -> None:
    inspect = recorded("rootful", "inspect-full")
    bind = next(mount for mount in inspect["Mounts"] if mount["Type"] == "bind")
    bind |= {"Propagation": "rshared", "Mode": "Z", "Options": ["rbind", "idmap"], "SubPath": "x"}
    spec = _spec(inspect)
    mount = next(mount for mount in spec.mounts if mount.destination == "/b")
    assert mount == MountSpec(
        MountKind.BIND, bind["Source"], "/b", True, propagation="rshared", relabel="Z", options=("idmap",)
    )
    assert json.loads(_paths(spec)["Mounts[/b]"]) == {"SubPath": "x"}


def test_options_that_inspect_hides_are_read_from_the_command_line_or_told() -> None:
    inspect = recorded("rootful", "inspect-plain")
    inspect["Config"]["CreateCommand"][2:2] = [
        *("--ip", "10.88.0.9", "--sysctl=net.core.somaxconn=1", "--sysctl", "net.core.a=2"),
        *("--of-the-future", "x", "-dit", "-eA=1", "--replace", "--secret=s,type=env,target=T", "--systemd=true"),
    ]
    spec = _spec(inspect)
    assert dict(spec.resources.sysctls) == {"net.core.somaxconn": "1", "net.core.a": "2"}
    assert spec.network.networks == (NetworkAttachment("podman", ipv4="10.88.0.9"),)
    assert {path: json.loads(value) for path, value in _paths(spec).items()} == {
        "Config.CreateCommand[--of-the-future]": "x",
        "Config.CreateCommand[--secret]": "s,type=env,target=T",
    }


def test_the_user_that_keep_id_brings_is_not_asked_for() -> None:
    inspect = recorded("rootless", "inspect-plain")
    maps = {"UidMap": ["0:1:7", "7:0:1", "8:8:9"], "GidMap": ["0:1:8", "8:0:1", "9:9:9"]}
    inspect["HostConfig"] |= {"UsernsMode": "private", "IDMappings": maps}
    inspect["Config"]["User"] = "7:8"
    inspect["Config"]["CreateCommand"][2:2] = ["--userns", "keep-id:uid=7,gid=8"]
    spec = _spec(inspect, "rootless")
    assert (spec.user, spec.namespaces.user, spec.unmapped) == (None, "keep-id:uid=7,gid=8", ())
    inspect["Config"]["CreateCommand"][2:2] = ["-u", "7:8"]
    assert _spec(inspect, "rootless").user == "7:8"


@given(st.lists(st.text(max_size=8)))
def test_any_words_give_pairs_of_options(words: list[str]) -> None:
    assert all(flag.startswith("-") for flag, _ in pairs_of(words))


def test_a_device_file_system_is_no_bind() -> None:
    inspect = recorded("rootful", "inspect-plain")
    inspect["Mounts"] = [{"Type": "bind", "Source": "devpts", "Destination": "/d", "Options": [], "RW": True}]
    spec = _spec(inspect)
    assert spec.mounts == ()
    assert set(_paths(spec)) == {"Mounts[/d]"}


_WORDS = st.text("abcdefgh", min_size=1, max_size=8)
_LIST = st.lists(_WORDS, min_size=1, max_size=2)
_MAP = st.dictionaries(_WORDS, _WORDS, min_size=1, max_size=2)
_COUNT = st.integers(1, 1 << 40)
_VALUES = st.one_of(st.integers(1, 10**9), _WORDS, st.just(True), _LIST, _MAP)
_RATES = st.integers(1, 1 << 40).map(lambda rate: [{"Path": "/dev/null", "Rate": rate}])
_CHECK = st.just({"Test": ["CMD", "x"]})
_TYPED: dict[str, st.SearchStrategy[Any]] = {
    "Name": _WORDS,
    "Dependencies": _LIST,
    "Image": st.just("ab" * 32),
    "ImageName": st.just("localhost/other:2"),
    "OCIRuntime": _WORDS,
    "AppArmorProfile": _WORDS,
    "UseImageHosts": st.just(True),
    "Config.Hostname": _WORDS,
    "Config.User": _WORDS,
    "Config.Tty": st.just(True),
    "Config.OpenStdin": st.just(True),
    "Config.Env": st.just(["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "X=1"]),
    "Config.Cmd": st.lists(_WORDS, min_size=1),
    "Config.WorkingDir": _WORDS.map(lambda word: f"/{word}"),
    "Config.Entrypoint": st.lists(_WORDS, min_size=1),
    "Config.Labels": st.just({"engines.test": "1", "a": "b"}),
    "Config.Annotations": _MAP,
    "Config.ExposedPorts": st.integers(1, 65535).map(lambda port: {f"{port}/udp": {}}),
    "Config.StopSignal": st.sampled_from(["SIGINT", "SIGQUIT", 9, "3"]),
    "Config.StopTimeout": st.integers(11, 1000),
    "Config.Healthcheck": _CHECK,
    "Config.HealthcheckOnFailureAction": st.none(),  # says something of a check only
    "Config.StartupHealthCheck": st.none(),
    "Config.Timezone": _WORDS,
    "Config.Umask": st.just("0027"),
    "Config.Domainname": _WORDS,
    "Config.StdinOnce": st.just(True),
    "Config.SystemdMode": st.just(True),
    "HostConfig.PortBindings": st.integers(1, 65535).map(lambda port: {f"{port}/tcp": [{"HostPort": "9"}]}),
    "HostConfig.PublishAllPorts": st.just(True),
    "HostConfig.RestartPolicy": st.sampled_from([{"Name": "always"}, {"Name": "on-failure", "MaximumRetryCount": 2}]),
    "HostConfig.Memory": _COUNT,
    "HostConfig.MemoryReservation": _COUNT,
    "HostConfig.MemorySwap": _COUNT,
    "HostConfig.MemorySwappiness": st.integers(1, 100),
    "HostConfig.OomKillDisable": st.just(True),
    "HostConfig.OomScoreAdj": st.integers(1, 1000),
    "HostConfig.NanoCpus": _COUNT,
    "HostConfig.CpuPeriod": st.integers(1000, 99_999),
    "HostConfig.CpuQuota": st.integers(1000, 99_999),
    "HostConfig.CpuShares": _COUNT,
    "HostConfig.CpuRealtimePeriod": _COUNT,
    "HostConfig.CpuRealtimeRuntime": _COUNT,
    "HostConfig.CpusetCpus": _WORDS,
    "HostConfig.CpusetMems": _WORDS,
    "HostConfig.PidsLimit": st.integers(1, 2047),
    "HostConfig.BlkioWeight": st.integers(10, 1000),
    "HostConfig.BlkioWeightDevice": st.just([{"Path": "/dev/null", "Weight": 10}]),
    "HostConfig.BlkioDeviceReadBps": _RATES,
    "HostConfig.BlkioDeviceWriteBps": _RATES,
    "HostConfig.BlkioDeviceReadIOps": _RATES,
    "HostConfig.BlkioDeviceWriteIOps": _RATES,
    "HostConfig.NetworkMode": st.sampled_from(["host", "none", "container:abc"]),
    "HostConfig.Ulimits": st.just([{"Name": "RLIMIT_CORE", "Soft": 0, "Hard": 0}]),
    "HostConfig.Devices": st.just([{"PathOnHost": "/dev/fuse", "PathInContainer": "/dev/fuse"}]),
    "HostConfig.LogConfig": st.sampled_from([{"Type": "journald"}, {"Type": "k8s-file", "Tag": "x"}]),
    "HostConfig.AutoRemove": st.just(True),
    "HostConfig.Init": st.just(True),
    **{f"HostConfig.{key}": _LIST for key in ("GroupAdd", "Dns", "DnsOptions", "DnsSearch", "ExtraHosts", "Links")},
    "HostConfig.HostsFile": _WORDS,
    "HostConfig.IpcMode": st.sampled_from(["host", "private", "none", "container:abc"]),
    "HostConfig.PidMode": st.sampled_from(["host", "container:abc"]),
    "HostConfig.UTSMode": st.sampled_from(["host", "container:abc"]),
    "HostConfig.CgroupMode": st.just("private"),
    "HostConfig.UsernsMode": st.sampled_from(["host", "private", "container:abc"]),
    "HostConfig.IDMappings": st.none(),  # of a private user namespace only
    "HostConfig.ShmSize": st.integers(1, 1 << 20),
    "HostConfig.Privileged": st.just(True),
    "HostConfig.CapAdd": st.just(["CAP_NET_ADMIN"]),
    "HostConfig.CapDrop": st.just(["CAP_CHOWN"]),
    "HostConfig.SecurityOpt": st.sampled_from(
        [["no-new-privileges"], ["seccomp=unconfined"], ["apparmor=x"], ["label=disable"], ["unmask=all"], ["mask=/a"]]
    ),
    "HostConfig.ReadonlyRootfs": st.just(True),
    "HostConfig.Tmpfs": st.just({"/t": "rw,nosuid,nodev,tmpcopyup"}),
    "HostConfig.CgroupParent": _WORDS,
}


def _base() -> Any:
    """A plain container that some API made: no command line tells more."""
    inspect = recorded("rootful", "inspect-plain")
    del inspect["Config"]["CreateCommand"]
    inspect["HostConfig"]["Ulimits"] = []
    return inspect


def _all_paths() -> list[str]:
    base = _base()
    paths = [key for key in base if key not in {"Config", "HostConfig", "NetworkSettings", "Mounts"}]
    paths += [f"{section}.{key}" for section in ("Config", "HostConfig") for key in base[section]]
    paths += [*_TYPED, "Brand", "Config.New", "HostConfig.New"]
    return sorted(set(paths) - OBSERVED)


@settings(max_examples=400)
@given(st.data())
def test_a_setting_is_in_the_recipe_or_reported(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(_all_paths()))
    defaults = HostDefaults.of(recorded("rootful", "info"))
    value = data.draw(
        _TYPED.get(path, _VALUES.filter(lambda value: value not in EMPTY and not is_default(path, value, defaults)))
    )
    plain = _spec(_base())
    inspect = _base()
    section, _, key = path.rpartition(".")
    (inspect[section] if section else inspect)[key] = value
    changed = _spec(inspect)
    if value is None:
        assert changed == plain
    elif path in CARRIED:
        assert changed != plain
    else:
        assert json.loads(_paths(changed)[path]) == value


def test_every_field_that_podman_writes_is_in_a_table() -> None:
    for mode in MODES:
        for name in ("plain", "full", "run", "api"):
            spec = _spec(recorded(mode, f"inspect-{name}"), mode)
            assert not [field for field in spec.unmapped if "does not know" in field.reason]
