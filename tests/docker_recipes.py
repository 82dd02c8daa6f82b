"""Random recipes of everything that Docker has, as far as its daemon accepts it together. No test."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from backends.engines.docker_defaults import MASKED_ALWAYS
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

_MIB, _S = 1 << 20, 10**9
_WORD = st.text("abcdefghij", min_size=1, max_size=6)
_TEXT = st.text("abc -=$\"'ü,:", max_size=10)
_WORDS = st.lists(_TEXT, min_size=1, max_size=3).map(tuple)
_PROFILE = json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": []})


def _some(*values: Any) -> st.SearchStrategy[tuple[Any, ...]]:
    """None to all of them, in this order."""
    return st.sets(st.sampled_from(values)).map(lambda chosen: tuple(one for one in values if one in chosen))


def _maybe(**named: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Each of these fields, or not."""
    return st.fixed_dictionaries({}, optional=named)


_PROCESS = _maybe(
    groups=_some("1234", "video"),
    init=st.booleans(),
    stop_signal=st.sampled_from(["SIGINT", "SIGUSR1", "SIGRTMIN+3"]),
    stop_timeout_s=st.sampled_from([UNLIMITED, 0, 3, 600]),
    domainname=st.just("example.org"),
    stdin_once=st.booleans(),
    unset_env=st.just(("PATH",)),
    annotations=st.dictionaries(_WORD, _TEXT, max_size=2),
).map(lambda named: ProcessSpec(**named))

_NAMESPACES = _maybe(
    ipc=st.sampled_from(["host", "shareable", "none"]),
    pid=st.just("host"),
    uts=st.just("host"),
    user=st.just("host"),
    shm_bytes=st.sampled_from([_MIB, 128 * _MIB]),
).map(lambda named: NamespaceSpec(**named))


_SECURITY = _maybe(
    privileged=st.booleans(),
    cap_add=_some("CAP_NET_ADMIN", "CAP_SYS_TIME", "ALL"),
    cap_drop=_some("CAP_CHOWN", "CAP_KILL"),
    no_new_privileges=st.booleans(),
    seccomp=st.sampled_from(["unconfined", _PROFILE]),
    apparmor=st.sampled_from(["unconfined", "mine"]),
    selinux=st.just(("level:s0:c1",)),
    unmask=st.just(("ALL",)) | st.sets(st.sampled_from(sorted(MASKED_ALWAYS))).map(lambda paths: tuple(sorted(paths))),
    mask=_some("/proc/cpuinfo", "/proc/uptime"),
    read_only_rootfs=st.booleans(),
    devices=_some(DeviceSpec("/dev/null", "/dev/nothing", "rw"), DeviceSpec("/dev/zero", "/dev/zero")),
    device_cgroup_rules=_some("c 1:3 mr", "c 1:5 r"),
).map(lambda named: _masked(SecuritySpec(**named)))


def _masked(security: SecuritySpec) -> SecuritySpec:
    """Docker hides nothing in a privileged container, and all that is hidden beside "all open" closes it."""
    if security.privileged:
        return replace(security, unmask=(), mask=())
    return replace(security, mask=()) if "ALL" in security.unmask else security


_RESOURCES = _maybe(
    memory_swappiness=st.sampled_from([0, 60]),
    oom_score_adj=st.sampled_from([-10, 300]),
    cpu_shares=st.sampled_from([2, 512]),
    cpuset_cpus=st.sampled_from(["0", "0-1"]),
    cpuset_mems=st.just("0"),
    pids_limit=st.sampled_from([1, 77]),
    ulimits=_some(Ulimit("core", 0, 0), Ulimit("memlock", -1, -1), Ulimit("nofile", 512, 1024)),
    throttles=_some(Throttle("read-bps", "/dev/null", 1_000_000), Throttle("write-iops", "/dev/zero", 5)),
    cgroup_parent=st.just("/tranship-tests"),
    runtime=st.just("io.containerd.runc.v2"),
)


@st.composite
def _limits(draw: st.DrawFn) -> dict[str, Any]:
    """memory_bytes, cpus_nano and resources, as they go together."""
    named = draw(_RESOURCES)
    memory = draw(st.sampled_from([0, 64 * _MIB]))
    if memory:
        named |= draw(
            _maybe(
                memory_reservation_bytes=st.just(32 * _MIB),
                memory_swap_bytes=st.sampled_from([UNLIMITED, 64 * _MIB, 100 * _MIB]),
                oom_kill_disable=st.booleans(),
            )
        )
    cpus = draw(st.sampled_from([0, 500_000_000, 1_250_000_000]))
    if not cpus and draw(st.booleans()):
        named |= {"cpu_quota_us": 30_000, "cpu_period_us": 50_000}
    return {"memory_bytes": memory, "cpus_nano": cpus, "resources": ResourceSpec(**named)}


_HEALTH = st.just(HealthSpec(("NONE",))) | st.builds(
    HealthSpec,
    test=st.sampled_from([("CMD", "true"), ("CMD-SHELL", "test -f /ready && exit 0")]),
    interval_ns=st.sampled_from([0, 7 * _S]),
    timeout_ns=st.sampled_from([0, 2 * _S]),
    start_period_ns=st.sampled_from([0, 11 * _S]),
    start_interval_ns=st.sampled_from([0, 2 * _S]),
    retries=st.sampled_from([0, 5]),
)
_LOG = st.sampled_from(
    [LogSpec("none"), LogSpec("local", {"max-size": "10m"}), LogSpec("json-file", {"max-size": "1m", "max-file": "3"})]
)
_GPU = st.one_of(
    st.builds(GpuRequest, cdi_devices=st.lists(_WORD.map("nvidia.com/gpu={}".format), min_size=1).map(tuple)),
    st.builds(GpuRequest, count=st.sampled_from([-1, 1, 3]), capabilities=st.just((("gpu", "utility"),))),
    st.just(GpuRequest(device_ids=("0", "GPU-1"), driver="nvidia", capabilities=(("gpu",),), options={"a": "b"})),
)
_PORT = st.builds(
    Port, st.integers(1, 65535), st.sampled_from(["tcp", "udp", "sctp"]), st.sampled_from(["", "127.0.0.1", "::1"]),
    st.none() | st.just(0) | st.integers(1, 65535),
).map(lambda port: replace(port, host_ip="") if port.host_port is None else port)  # fmt: skip


def _mount(volumes: Sequence[str]) -> st.SearchStrategy[MountSpec]:
    where, read_only = _WORD.map("/mounted/{}".format), st.booleans()
    return st.one_of(
        st.builds(
            MountSpec, st.just(MountKind.TMPFS), st.just(""), where, read_only,
            options=_some("nodev", "noexec", "nosuid"), size_bytes=st.sampled_from([0, 5 * _MIB]),
            mode=st.sampled_from([None, 0o700, 0o1755]),
        ),
        st.builds(
            MountSpec, st.just(MountKind.BIND), st.just("/etc"), where, read_only,
            propagation=st.sampled_from(["", "rslave", "private"]), recursive=st.booleans(),
            create_source=st.booleans(),
        ),
        st.builds(
            MountSpec, st.just(MountKind.BIND), st.just("/etc"), where, read_only,
            relabel=st.sampled_from(["z", "Z"]), create_source=st.just(True),
        ),
        st.builds(
            MountSpec, st.just(MountKind.VOLUME), st.sampled_from(volumes), where, read_only,
            no_copy=st.sampled_from([None, True]), relabel=st.sampled_from(["", "z"]),
        ),
    )  # fmt: skip


@st.composite
def _network(draw: st.DrawFn, networks: Sequence[str]) -> NetworkingSpec:
    named = draw(
        _maybe(
            dns=st.just(("198.18.0.1", "198.18.0.2")),
            dns_search=st.just(("example.org",)),
            dns_options=_some("ndots:2", "timeout:1"),
            extra_hosts=_some("db:198.18.0.9", "gate:host-gateway"),
            publish_all=st.booleans(),
        )
    )
    kind = draw(st.sampled_from(["", "mac", "none", "host", "joined"]))
    if kind == "joined":
        chosen = draw(st.lists(st.sampled_from(networks), min_size=1, unique=True))
        first, *rest = (
            NetworkAttachment(
                one, aliases=draw(_some("cache", "db")), mac=draw(st.sampled_from(["", "02:42:c6:12:00:07"]))
            )
            for one in chosen
        )
        return NetworkingSpec("bridge", (first, *sorted(rest, key=lambda end: end.network)), **named)
    if kind == "mac":
        return NetworkingSpec(mac="02:42:c6:12:00:08", **named)
    return NetworkingSpec(kind, **named)


@st.composite
def recipes(
    draw: st.DrawFn, *, networks: Sequence[str], volumes: Sequence[str], labels: Mapping[str, str]
) -> WorkloadSpec:
    """networks, volumes: those that are there. labels: on each. The name is the caller's business."""
    network = draw(_network(networks))
    spaces = draw(_NAMESPACES)
    process = draw(_PROCESS)
    limits = draw(_limits())
    if network.mode != "host":
        sysctls = draw(st.sampled_from([{}, {"net.ipv4.ip_forward": "0"}]))
        limits["resources"] = replace(limits["resources"], sysctls=sysctls)
    auto_remove = draw(st.booleans())
    restart = RestartPolicy()
    if not auto_remove:
        restart = draw(
            st.builds(RestartPolicy, st.sampled_from(RestartName)) | st.just(RestartPolicy(RestartName.ON_FAILURE, 4))
        )
    mounts = draw(st.lists(_mount(volumes), max_size=3, unique_by=lambda mount: mount.destination))
    ports = draw(st.lists(_PORT, max_size=3, unique_by=lambda port: (port.container_port, port.protocol)))
    entrypoint, command = draw(st.sampled_from([None, ("/bin/sh", "-e")])), draw(st.none() | _WORDS)
    return WorkloadSpec(
        name="",
        image="docker.io/test/busybox:1",
        command=command,
        entrypoint=entrypoint,
        env=draw(st.dictionaries(st.text("ABC", min_size=1, max_size=3), _TEXT, max_size=3)),
        labels={**draw(st.dictionaries(_WORD, _TEXT, max_size=2)), **labels},
        user=draw(st.sampled_from([None, "1000:1000", "nobody"])),
        workdir=draw(st.sampled_from([None, "/tmp"])),
        hostname=None if spaces.uts else draw(st.sampled_from([None, "workbench"])),
        tty=draw(st.booleans()),
        stdin_open=draw(st.booleans()),
        ports=tuple(sorted(ports, key=lambda port: (port.container_port, port.protocol))),
        mounts=tuple(sorted(mounts, key=lambda mount: mount.destination)),
        restart=restart,
        gpu=draw(st.none() | _GPU),
        process=replace(process, auto_remove=auto_remove),
        network=network,
        namespaces=spaces,
        security=draw(_SECURITY),
        health=draw(st.none() | _HEALTH),
        log=draw(st.none() | _LOG),
        **limits,
    )


__all__ = ["recipes"]
