"""Recipes of containers that `podman create` made, option by option, and of random ones that we make ourselves."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backends.model.capabilities import Capability
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
    SecuritySpec,
    Throttle,
    Ulimit,
)
from backends.model.workload import GpuRequest, MountSpec, RestartName, RestartPolicy, WorkloadSpec
from tests.engines_podman.bench import IMAGE, Bench, plain, swapped

pytestmark = pytest.mark.engines

_S = 10**9
_BIND = MountSpec(MountKind.BIND, "/tmp", "/b")
_TMPFS = MountSpec(MountKind.TMPFS, "", "/t")


def _network(**said: Any) -> dict[str, Any]:
    return {"network": NetworkingSpec(**said)}


def _podman(**said: Any) -> dict[str, Any]:
    return _network(mode="bridge", networks=(NetworkAttachment("podman", **said),))


def _process(**said: Any) -> dict[str, Any]:
    return {"process": ProcessSpec(**said)}


def _names(**said: Any) -> dict[str, Any]:
    return {"namespaces": NamespaceSpec(**said)}


def _rights(**said: Any) -> dict[str, Any]:
    return {"security": SecuritySpec(**said)}


def _limits(memory_bytes: int = 0, **said: Any) -> dict[str, Any]:
    return {"resources": ResourceSpec(**said), "memory_bytes": memory_bytes}


def _check(*test: str, **said: Any) -> dict[str, Any]:
    return {"health": HealthSpec(test or ("CMD-SHELL", "true"), **said)}


BOTH: list[tuple[str, dict[str, Any]]] = [
    ("--user 5:6", {"user": "5:6"}),
    ("-e A=1 --env B= -eC=3", {"env": {"A": "1", "B": "", "C": "3"}}),
    ("-l a=b --label c=d=e", {"labels": {"a": "b", "c": "d=e"}}),
    ("-w /tmp -it -h hh", {"workdir": "/tmp", "tty": True, "stdin_open": True, "hostname": "hh"}),
    ("--entrypoint /bin/sh", {"entrypoint": ("/bin/sh",), "command": ()}),
    ("--restart on-failure:4", {"restart": RestartPolicy(RestartName.ON_FAILURE, 4)}),
    ("--ulimit nofile=100:200 --ulimit core=0", _limits(ulimits=(Ulimit("nofile", 100, 200), Ulimit("core", 0, 0)))),
    ("--sysctl net.ipv4.ip_forward=0", _limits(sysctls={"net.ipv4.ip_forward": "0"})),
    ("--oom-score-adj 100", _limits(oom_score_adj=100)),
    ("--pids-limit -1", _limits(pids_limit=UNLIMITED)),
    ("--pids-limit 0", _limits(pids_limit=UNLIMITED)),
    ("--device-read-bps /dev/null:1mb", _limits(throttles=(Throttle("read-bps", "/dev/null", 1 << 20),))),
    ("--tmpfs /t", {"mounts": (_TMPFS,)}),
    (
        "--tmpfs /t:size=5m,mode=0700,noexec",
        {"mounts": (replace(_TMPFS, size_bytes=5 << 20, mode=0o700, options=("noexec",)),)},
    ),
    (
        "--tmpfs /t:size=50%,notmpcopyup,ro",
        {"mounts": (replace(_TMPFS, read_only=True, no_copy=True, options=("size=50%",)),)},
    ),
    ("-v /tmp:/b:ro,z", {"mounts": (replace(_BIND, read_only=True, relabel="z"),)}),
    ("-v /tmp:/b:rshared,noexec", {"mounts": (replace(_BIND, propagation="rshared", options=("noexec",)),)}),
    ("--mount type=bind,src=/tmp,dst=/b,bind-nonrecursive", {"mounts": (replace(_BIND, recursive=False),)}),
    ("-v VOLUME:/v:nocopy,U", {"mounts": (MountSpec(MountKind.VOLUME, "VOLUME", "/v", no_copy=True, options=("U",)),)}),
    (
        "--mount type=volume,src=VOLUME,dst=/v,subpath=/",
        {"mounts": (MountSpec(MountKind.VOLUME, "VOLUME", "/v", subpath="/"),)},
    ),
    (
        "--cap-add NET_RAW,sys_time --cap-drop CHOWN",
        _rights(cap_add=("CAP_NET_RAW", "CAP_SYS_TIME"), cap_drop=("CAP_CHOWN",)),
    ),
    ("--cap-drop all --cap-add chown", _rights(cap_drop=("ALL",), cap_add=("CAP_CHOWN",))),
    ("--privileged --cap-drop CHOWN", _rights(privileged=True, cap_drop=("CAP_CHOWN",))),
    (
        "--security-opt seccomp=unconfined --security-opt no-new-privileges",
        _rights(seccomp="unconfined", no_new_privileges=True),
    ),
    ("--security-opt label=type:x_t", _rights(selinux=("type:x_t",))),
    ("--security-opt mask=/proc/interrupts:/proc/version", _rights(mask=("/proc/interrupts", "/proc/version"))),
    ("--security-opt unmask=/proc/acpi", _rights(unmask=("/proc/acpi",))),
    ("--read-only --read-only-tmpfs=false", _rights(read_only_rootfs=True, read_write_tmpfs=False)),
    (
        "--device /dev/null:/dev/n:r --device /dev/zero",
        _rights(devices=(DeviceSpec("/dev/null", "/dev/n", "r"), DeviceSpec("/dev/zero", "/dev/zero"))),
    ),
    ("--device nvidia.com/gpu=0", {"gpu": GpuRequest(cdi_devices=("nvidia.com/gpu=0",))}),
    ("--gpus all", {"gpu": GpuRequest(cdi_devices=("nvidia.com/gpu=all",))}),
    ("--network none", _network(mode="none")),
    ("--network host", _network(mode="host")),
    ("--network slirp4netns:mtu=1400", _network(mode="slirp4netns:mtu=1400")),
    ("--network container:PARTNER", _network(mode="container:PARTNER")),
    (
        "--network NETWORK:alias=db,interface_name=eth9",
        _network(mode="bridge", networks=(NetworkAttachment("NETWORK", ("db",), interface="eth9"),)),
    ),
    (
        "--network bridge:ip=10.88.77.7 --network NETWORK",
        _network(
            mode="bridge", networks=(NetworkAttachment("podman", ipv4="10.88.77.7"), NetworkAttachment("NETWORK"))
        ),
    ),
    ("--network bridge:mac=02:42:c6:12:00:09", _podman(mac="02:42:c6:12:00:09")),
    (
        "--dns 198.18.0.1 --dns-search x.org --dns-option ndots:3",
        _network(dns=("198.18.0.1",), dns_search=("x.org",), dns_options=("ndots:3",)),
    ),
    ("--dns none --no-hosts", _network(no_resolv=True, no_hosts=True)),
    ("--add-host a:198.18.0.2 --hosts-file none", _network(extra_hosts=("a:198.18.0.2",), base_hosts="none")),
    ("-P -p 18998:80", _network(publish_all=True) | {"ports": (Port(80, host_port=18998),)}),
    (
        "-p 127.0.0.1::80 -p 18992-18993:81-82/udp",
        {"ports": (Port(80, "tcp", "127.0.0.1", 0), Port(81, "udp", "", 18992), Port(82, "udp", "", 18993))},
    ),
    ("--expose 99/udp", {"ports": (Port(99, "udp"),)}),
    ("--uts host", _names(uts="host")),
    ("--uts container:PARTNER", _names(uts="container:PARTNER")),
    ("--pid container:PARTNER --ipc container:PARTNER", _names(pid="container:PARTNER", ipc="container:PARTNER")),
    ("--pid host --ipc none", _names(pid="host", ipc="none")),
    ("--shm-size 10m", _names(shm_bytes=10 << 20)),
    ("--shm-size 0", _names(shm_bytes=0)),
    ("--userns keep-id:uid=7,gid=8", _names(user="keep-id:uid=7,gid=8")),
    ("--init --stop-signal INT --stop-timeout 0", _process(init=True, stop_signal="SIGINT", stop_timeout_s=0)),
    ("--stop-timeout 4294967295", _process(stop_timeout_s=UNLIMITED)),
    ("--tz Europe/Berlin --umask 0077", _process(timezone="Europe/Berlin", umask="0077")),
    ("--systemd always --http-proxy=false", _process(systemd="always", http_proxy=False)),
    ("--unsetenv-all --rm", _process(unset_env=("PATH",), auto_remove=True)),
    ("--annotation org.x/a=b --group-add 1234", _process(annotations={"org.x/a": "b"}, groups=("1234",))),
    ("--group-add keep-groups", _process(groups=("keep-groups",))),
    ("--log-driver none", {"log": LogSpec("none")}),
    ("--log-opt max-size=10mb --log-opt tag=x", {"log": LogSpec("", {"max-size": "10mb", "tag": "x"})}),
    ("--health-cmd true", _check()),
    ("--health-cmd [\"true\",\"x\"]", _check("CMD", "true", "x")),
    ("--no-healthcheck", _check("NONE")),
    (
        "--health-cmd true --health-interval 7s --health-retries "
        "4 --health-timeout 2s --health-start-period 3s",
        _check(interval_ns=7 * _S, retries=4, timeout_ns=2 * _S, start_period_ns=3 * _S),
    ),
    ("--health-cmd true --health-on-failure kill", _check(on_failure="kill")),
    (
        "--health-cmd true --health-startup-cmd true "
        "--health-startup-interval 2s --health-startup-success 2",
        _check(startup=HealthSpec(("CMD-SHELL", "true"), 2 * _S), startup_successes=2),
    ),
]  # fmt: skip

LIMITED: list[tuple[str, dict[str, Any]]] = [
    ("-m 64m", {"memory_bytes": 64 << 20}),
    ("-m 64m --memory-swap -1", _limits(64 << 20, memory_swap_bytes=UNLIMITED)),
    ("-m 64m --memory-swap 100m", _limits(64 << 20, memory_swap_bytes=100 << 20)),
    (
        "--memory-reservation 32m --memory-swappiness 10",
        _limits(memory_reservation_bytes=32 << 20, memory_swappiness=10),
    ),
    ("-m 64m --oom-kill-disable", _limits(64 << 20, oom_kill_disable=True)),
    ("--cpus 1.5", {"cpus_nano": 1_500_000_000}),
    ("--cpu-quota 20000 --cpu-period 50000 -c 512", _limits(cpu_quota_us=20_000, cpu_period_us=50_000, cpu_shares=512)),
    ("--cpuset-cpus 0 --cpuset-mems 0", _limits(cpuset_cpus="0", cpuset_mems="0")),
    ("--pids-limit 77", _limits(pids_limit=77)),
]  # fmt: skip
"""What rootless Podman on cgroup v1 does not apply."""

NOWHERE = [
    "--ulimit host", "--uidmap 0:1:1000", "-v /tmp:/b:O", "--timeout 44", "--no-hostname", "--sdnotify ignore",
    "--security-opt proc-opts=nosuid", "--mount type=devpts,dst=/dp", "--mount type=image,src=test/web:1,dst=/i",
    "--health-cmd true --health-interval disable", "--health-cmd true --health-max-log-count 3",
    "--image-volume tmpfs", "--requires PARTNER", "--passwd-entry u:*:1:1::/:/bin/sh", "--personality LINUX32",
]  # fmt: skip
"""What no recipe says: it is reported."""


async def _carried(bench: Bench, options: str, changes: Mapping[str, Any]) -> None:
    spec = await bench.create(options)
    wanted = replace(
        WorkloadSpec(spec.name, IMAGE, spec.image_id),
        **{key: swapped(value, bench.names) for key, value in changes.items()},
    )
    assert plain(spec) == plain(wanted)
    assert plain(await bench.again(spec)) == plain(spec)


@pytest.mark.parametrize(("options", "changes"), BOTH, ids=[options[:60] for options, _ in BOTH])
async def test_an_option_is_carried_and_makes_the_same_again(
    bench: Bench, options: str, changes: dict[str, Any]
) -> None:
    await _carried(bench, options, changes)


@pytest.mark.parametrize(("options", "changes"), LIMITED, ids=[options[:60] for options, _ in LIMITED])
async def test_a_limit_is_carried_where_it_is_applied_and_said_where_not(
    bench: Bench, options: str, changes: dict[str, Any]
) -> None:
    info = await bench.engine.connect()
    if info.capabilities.can(Capability.RESOURCE_LIMITS):
        if info.cgroup_version == "2" and ("swappiness" in options or "oom-kill" in options):
            pytest.skip("of cgroup v1 only")
        await _carried(bench, options, changes)
        return
    spec = await bench.create(options)
    assert plain(replace(spec, unmapped=())) == plain(WorkloadSpec(spec.name, IMAGE, spec.image_id))
    flags = {word for word in options.split() if word.startswith("-") and not word[1:].isdecimal()}
    assert len(spec.unmapped) == len(flags)
    assert {field.reason for field in spec.unmapped} == {"it was asked for, but this engine did not apply it"}


@pytest.mark.parametrize("options", NOWHERE)
async def test_what_no_recipe_says_is_reported(bench: Bench, options: str) -> None:
    spec = await bench.create(options)
    assert spec.unmapped
    assert all(field.reason for field in spec.unmapped)
    await bench.again(replace(spec, unmapped=()))


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may read, other than pytest's own."""
    with tempfile.TemporaryDirectory(prefix="tranship-test-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        yield folder


async def test_a_profile_of_a_file_is_carried_as_text(bench: Bench, open_folder: Path) -> None:
    file = open_folder / "profile.json"
    file.write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": []}))
    file.chmod(0o644)
    spec = await bench.create(f"--security-opt seccomp={file}")
    assert spec.security == SecuritySpec(seccomp=file.read_text())
    assert spec.unmapped == ()
    file.unlink()
    before = {volume.name for volume in await bench.engine.list_volumes()}
    assert plain(await bench.again(spec)) == plain(spec)
    made = {volume.name for volume in await bench.engine.list_volumes()} - before
    assert not {name for name in made if name.startswith("tranship-")}
    gone = await bench.engine.workload_spec(spec.name)
    assert gone.security == SecuritySpec()
    assert [field.path for field in gone.unmapped] == ["HostConfig.SecurityOpt[seccomp]"]
