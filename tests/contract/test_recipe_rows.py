"""Each setting of a recipe by itself: created with it, read back equal, and nothing else set."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import pytest

from backends.engine import Engine
from backends.model.capabilities import Capability, EngineInfo
from backends.model.container import MountKind
from backends.model.ids import EngineKind
from backends.model.settings import (
    UNLIMITED,
    DeviceSpec,
    HealthSpec,
    LogSpec,
    NamespaceSpec,
    NetworkingSpec,
    ProcessSpec,
    ResourceSpec,
    SecuritySpec,
    Throttle,
    Ulimit,
)
from backends.model.workload import MountSpec, WorkloadSpec
from tests.contract.lab import Lab

_MIB = 1 << 20
_S = 10**9
_BOTH = frozenset({"docker", "podman", "rootless"})
_DOCKER, _PODMAN, _ROOTFUL = frozenset({"docker"}), frozenset({"podman", "rootless"}), frozenset({"docker", "podman"})
_PROFILE = json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": []})


@dataclass(frozen=True)
class Row:
    """One setting. on: engines that have it (the demo has all). limits: needs control groups."""

    name: str
    changes: Mapping[str, Any]
    on: frozenset[str] = _BOTH
    limits: bool = False


def _process(on: frozenset[str] = _BOTH, **changes: Any) -> Row:
    more = {"stdin_open": True} if changes.get("stdin_once") else {}
    return Row(_called("process", changes), {"process": ProcessSpec(**changes), **more}, on)


def _network(on: frozenset[str] = _BOTH, **changes: Any) -> Row:
    return Row(_called("network", changes), {"network": NetworkingSpec(**changes)}, on)


def _namespaces(on: frozenset[str] = _BOTH, **changes: Any) -> Row:
    return Row(_called("namespaces", changes), {"namespaces": NamespaceSpec(**changes)}, on)


def _security(on: frozenset[str] = _BOTH, **changes: Any) -> Row:
    return Row(_called("security", changes), {"security": SecuritySpec(**changes)}, on)


def _resources(on: frozenset[str] = _BOTH, *, limits: bool = True, memory_bytes: int = 0, **changes: Any) -> Row:
    values = {"resources": ResourceSpec(**changes), "memory_bytes": memory_bytes}
    return Row(_called("resources", changes), values, on, limits)


def _health(on: frozenset[str] = _BOTH, test: tuple[str, ...] = ("CMD", "true"), **changes: Any) -> Row:
    return Row(_called(f"health {test[0]}", changes), {"health": HealthSpec(test, **changes)}, on)


def _mount(on: frozenset[str] = _BOTH, *, kind: MountKind = MountKind.TMPFS, source: str = "", **changes: Any) -> Row:
    mount = MountSpec(kind, source, "/mounted", **changes)
    return Row(_called(f"mount {kind.value}", changes), {"mounts": (mount,)}, on)


def _called(group: str, changes: Mapping[str, Any]) -> str:
    said = ", ".join(f"{name}={value}" for name, value in changes.items())
    return f"{group} {said}"[:70].strip()


_BIND: dict[str, Any] = {"kind": MountKind.BIND, "source": "/tmp"}
_VOLUME: dict[str, Any] = {"kind": MountKind.VOLUME, "source": "VOLUME"}
ROWS = (
    _process(groups=("1234",)),
    _process(init=True),
    _process(stop_signal="SIGINT"),
    _process(stop_signal="SIGRTMIN+3"),
    _process(stop_timeout_s=3),
    _process(stop_timeout_s=0),
    _process(_DOCKER, stop_timeout_s=UNLIMITED),
    _process(_DOCKER, domainname="example.org"),
    _process(_DOCKER, stdin_once=True),
    _process(unset_env=("PATH",)),
    _process(_PODMAN, http_proxy=False),
    _process(_PODMAN, systemd="always"),
    _process(auto_remove=True),
    _process(_PODMAN, timezone="Europe/Berlin"),
    _process(_PODMAN, umask="0027"),
    _process(annotations={"org.example/a": "b=c"}),
    _network(mode="none"),
    _network(mode="host"),
    _network(mode="bridge"),
    _network(mode="container:PARTNER"),
    _network(frozenset({"rootless"}), mode="pasta"),
    _network(mac="02:42:c6:12:00:08", mode="bridge"),
    _network(dns=("198.18.0.1", "198.18.0.2")),
    _network(dns_search=("example.org",)),
    _network(dns_options=("ndots:2",)),
    _network(extra_hosts=("db:198.18.0.9", "gate:host-gateway")),
    _network(publish_all=True),
    _network(_PODMAN, base_hosts="none"),
    _network(_PODMAN, no_hosts=True),
    _network(_PODMAN, no_resolv=True),
    _network(_DOCKER, links=("PARTNER:db",)),
    _namespaces(ipc="host"),
    _namespaces(ipc="private"),
    _namespaces(ipc="shareable"),
    _namespaces(ipc="none"),
    _namespaces(ipc="container:PARTNER"),
    _namespaces(pid="host"),
    _namespaces(pid="container:PARTNER"),
    _namespaces(uts="host"),
    _namespaces(_ROOTFUL, cgroup="host"),
    _namespaces(frozenset({"docker"}), user="host"),
    _namespaces(frozenset({"rootless"}), user="keep-id"),
    _namespaces(shm_bytes=128 * _MIB),
    _security(privileged=True),
    _security(cap_add=("CAP_NET_ADMIN", "CAP_SYS_TIME")),
    _security(cap_drop=("CAP_CHOWN", "CAP_KILL")),
    _security(cap_drop=("ALL",), cap_add=("CAP_NET_BIND_SERVICE",)),
    _security(cap_add=("ALL",)),
    _security(no_new_privileges=True),
    _security(seccomp="unconfined"),
    _security(seccomp=_PROFILE),
    _security(selinux=("disable",)),
    _security(apparmor="unconfined"),
    _security(unmask=("ALL",)),
    _security(_PODMAN, mask=("/proc/interrupts",)),
    _security(read_only_rootfs=True),
    _security(_PODMAN, read_only_rootfs=True, read_write_tmpfs=False),
    _security(devices=(DeviceSpec("/dev/null", "/dev/nothing", "rw"), DeviceSpec("/dev/zero", "/dev/zero"))),
    _security(_ROOTFUL, device_cgroup_rules=("c 1:3 mr",)),
    _resources(memory_bytes=96 * _MIB, memory_reservation_bytes=48 * _MIB),
    _resources(memory_bytes=96 * _MIB, memory_swap_bytes=128 * _MIB),
    _resources(memory_bytes=96 * _MIB, memory_swap_bytes=UNLIMITED),
    _resources(memory_swappiness=10),
    _resources(memory_bytes=96 * _MIB, oom_kill_disable=True),
    _resources(limits=False, oom_score_adj=300),
    _resources(cpu_shares=512),
    _resources(cpu_quota_us=30_000, cpu_period_us=50_000),
    _resources(cpuset_cpus="0-1"),
    _resources(cpuset_mems="0"),
    _resources(pids_limit=77),
    _resources(limits=False, pids_limit=UNLIMITED),
    _resources(limits=False, ulimits=(Ulimit("core", 0, 0), Ulimit("nofile", 512, 1024))),
    _resources(limits=False, sysctls={"net.ipv4.ip_forward": "0"}),
    _resources(throttles=(Throttle("read-bps", "/dev/null", 1_000_000),)),
    _health(),
    _health(test=("CMD-SHELL", "test -f /ready && exit 0")),
    _health(test=("NONE",)),
    _health(interval_ns=7 * _S, timeout_ns=3 * _S, start_period_ns=11 * _S, retries=5),
    _health(_PODMAN, on_failure="kill"),
    _health(_PODMAN, startup=HealthSpec(("CMD", "true"), 2 * _S, _S, retries=4), startup_successes=2),
    Row("log", {"log": LogSpec("json-file", {"max-size": "10m", "max-file": "3"})}, _DOCKER),
    Row("log k8s-file", {"log": LogSpec("k8s-file", {"max-size": "10mb"})}, _PODMAN),
    Row("log none", {"log": LogSpec("none")}),
    _mount(),
    _mount(size_bytes=16 * _MIB, mode=0o700),
    _mount(options=("noexec",)),
    _mount(_PODMAN, no_copy=True),
    _mount(**_BIND, read_only=True),
    _mount(_ROOTFUL, **_BIND, propagation="rslave"),
    _mount(**_BIND, recursive=False),
    _mount(**_VOLUME),
    _mount(**_VOLUME, read_only=True),
    _mount(**_VOLUME, no_copy=True),
    _mount(_PODMAN, **_VOLUME, options=("noexec",)),
    _mount(kind=MountKind.VOLUME, anonymous=True),
)  # fmt: skip


def _kind(engine: Engine, info: EngineInfo) -> str:
    if engine.id.kind is EngineKind.PODMAN and info.rootless:
        return "rootless"
    return engine.id.kind.value


def _own(kind: str, info: EngineInfo) -> dict[str, Any]:
    """Values that are what the engine gives anyway, and whose inspect is the same whether they were asked for or not:
    they come back as not said."""
    cgroup = "private" if info.cgroup_version == "2" else "host"
    docker = {
        "network.mode": "bridge",
        "namespaces.ipc": "private",
        "namespaces.cgroup": cgroup,
        "resources.pids_limit": UNLIMITED,
    }
    return {"docker": docker}.get(kind, {})


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_a_setting_comes_back_and_nothing_else_does(lab: Lab, row: Row) -> None:
    kind = _kind(lab.engine, lab.info)
    if kind != "demo" and (kind not in row.on or (row.limits and not lab.can(Capability.RESOURCE_LIMITS))):
        pytest.skip(f"{kind} has no such setting")
    limits: ResourceSpec = row.changes.get("resources", ResourceSpec())
    if lab.info.cgroup_version == "2" and (limits.memory_swappiness is not None or limits.oom_kill_disable):
        pytest.skip("of cgroup v1 only")
    spec = await _with_partners(lab, replace(lab.spec(), **row.changes))
    back = await lab.engine.workload_spec(await lab.make(spec))
    wanted = replace(spec, image_id=back.image_id)
    if any(mount.anonymous for mount in spec.mounts):
        wanted = replace(
            wanted, mounts=tuple(replace(m, source=b.source) for m, b in zip(wanted.mounts, back.mounts, strict=True))
        )
    assert back.unmapped == ()
    own = _own(kind, lab.info)
    differences = dict(_differences("", _plain(wanted), _plain(back)))
    untold = {
        path for path, (asked, got) in differences.items() if path in own and (asked, got or "") == (own[path], "")
    }
    assert {path: pair for path, pair in differences.items() if path not in untold} == {}


async def _with_partners(lab: Lab, spec: WorkloadSpec) -> WorkloadSpec:
    """A real container or volume where a row says PARTNER, VOLUME."""
    if "PARTNER" in repr(spec):
        name = lab.name()
        partner = replace(lab.spec(name=name), namespaces=NamespaceSpec(ipc="shareable"))
        await lab.run(spec=partner)
        swap = {"container:PARTNER": f"container:{name}"}
        spec = replace(
            spec,
            network=replace(
                spec.network,
                mode=swap.get(spec.network.mode, spec.network.mode),
                links=tuple(link.replace("PARTNER", name) for link in spec.network.links),
            ),
            namespaces=replace(
                spec.namespaces,
                ipc=swap.get(spec.namespaces.ipc, spec.namespaces.ipc),
                pid=swap.get(spec.namespaces.pid, spec.namespaces.pid),
            ),
        )
    if any(mount.source == "VOLUME" for mount in spec.mounts):
        volume = await lab.volume()
        spec = replace(spec, mounts=tuple(replace(mount, source=volume) for mount in spec.mounts))
    return spec


def _plain(value: Any) -> Any:
    """For comparing: groups and mappings as dicts."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return tuple(_plain(one) for one in value) if isinstance(value, tuple) else value


def _differences(path: str, wanted: Any, back: Any) -> list[tuple[str, tuple[Any, Any]]]:
    """Where two such values differ: path, wanted, got."""
    if isinstance(wanted, dict) and isinstance(back, dict):
        names = sorted({*wanted, *back})
        return [
            one
            for name in names
            for one in _differences(f"{path}.{name}".lstrip("."), wanted.get(name), back.get(name))
        ]
    return [] if wanted == back else [(path, (wanted, back))]
