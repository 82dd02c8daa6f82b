"""Rights, namespaces and limits of a recipe as HostConfig. Pure; used by docker_create alone."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import Any, NoReturn

from backends.engines.docker_defaults import MASKED_WRITTEN, READONLY
from backends.engines.docker_recipe_rights import THROTTLES
from backends.model.errors import Unsupported
from backends.model.settings import NamespaceSpec, ResourceSpec, SecuritySpec


def cannot(field: str, value: str, why: str) -> NoReturn:
    """Raise Unsupported for a field of WorkloadSpec."""
    raise Unsupported(f"Docker cannot do {field}", detail=f"{field} = {value}: {why}")


def host_rights(security: SecuritySpec, spaces: NamespaceSpec) -> dict[str, Any]:
    """What is not set is left to Docker."""
    if security.read_write_tmpfs:
        cannot("security.read_write_tmpfs", "true", "Docker makes nothing writable in a read-only container")
    host: dict[str, Any] = {
        "Privileged": security.privileged,
        "CapAdd": list(security.cap_add),
        "CapDrop": list(security.cap_drop),
        "ReadonlyRootfs": security.read_only_rootfs,
        "SecurityOpt": _options(security),
        **_spaces(spaces),
    }
    if security.devices:
        host["Devices"] = [
            {
                "PathOnHost": device.host_path,
                "PathInContainer": device.container_path,
                "CgroupPermissions": device.permissions,
            }
            for device in security.devices
        ]
    if security.device_cgroup_rules:
        host["DeviceCgroupRules"] = list(security.device_cgroup_rules)
    if "ALL" in security.unmask:
        host |= {"MaskedPaths": sorted(security.mask), "ReadonlyPaths": []}
    elif security.mask or security.unmask:

        def kept(path: str) -> bool:
            return not any(fnmatch(path, pattern) for pattern in security.unmask)

        host["MaskedPaths"] = [*filter(kept, MASKED_WRITTEN), *sorted(set(security.mask) - set(MASKED_WRITTEN))]
        host["ReadonlyPaths"] = [*filter(kept, READONLY)]
    return host


def _options(security: SecuritySpec) -> list[str]:
    options = [f"label={option}" for option in security.selinux]
    if security.no_new_privileges:
        options.append("no-new-privileges")
    if security.seccomp:
        options.append(f"seccomp={security.seccomp}")
    if security.apparmor:
        options.append(f"apparmor={security.apparmor}")
    return options


def _spaces(spaces: NamespaceSpec) -> dict[str, Any]:
    """Docker's own PID and UTS namespaces are private and cannot be asked for by that word."""
    host: dict[str, Any] = {}
    for field, key, value, known in (
        ("ipc", "IpcMode", spaces.ipc, {"host", "none", "private", "shareable"}),
        ("pid", "PidMode", "" if spaces.pid == "private" else spaces.pid, {"host"}),
        ("uts", "UTSMode", "" if spaces.uts == "private" else spaces.uts, {"host"}),
        ("cgroup", "CgroupnsMode", spaces.cgroup, {"host", "private"}),
        ("user", "UsernsMode", spaces.user, {"host"}),
    ):
        if not value:
            continue
        if value not in known and not (field in {"ipc", "pid"} and value.startswith("container:")):
            cannot(f"namespaces.{field}", value, "Docker has no such namespace mode")
        host[key] = value
    if spaces.shm_bytes is not None:
        host["ShmSize"] = spaces.shm_bytes
    return host


def host_limits(limits: ResourceSpec) -> dict[str, Any]:
    """Only what is set."""
    host: dict[str, Any] = {}
    for key, value in (
        ("MemoryReservation", limits.memory_reservation_bytes),
        ("MemorySwap", limits.memory_swap_bytes),
        ("OomKillDisable", limits.oom_kill_disable),
        ("OomScoreAdj", limits.oom_score_adj),
        ("CpuShares", limits.cpu_shares),
        ("CpuQuota", limits.cpu_quota_us),
        ("CpuPeriod", limits.cpu_period_us),
        ("CpuRealtimeRuntime", limits.cpu_realtime_runtime_us),
        ("CpuRealtimePeriod", limits.cpu_realtime_period_us),
        ("CpusetCpus", limits.cpuset_cpus),
        ("CpusetMems", limits.cpuset_mems),
        ("BlkioWeight", limits.blkio_weight),
        ("PidsLimit", limits.pids_limit),
        ("Sysctls", dict(limits.sysctls)),
        ("StorageOpt", dict(limits.storage)),
        ("CgroupParent", limits.cgroup_parent),
        ("Runtime", limits.runtime),
    ):
        if value:
            host[key] = value
    if limits.memory_swappiness is not None:
        host["MemorySwappiness"] = limits.memory_swappiness
    for throttle in limits.throttles:
        if throttle.kind not in THROTTLES:
            cannot("resources.throttles", throttle.kind, "Docker has no such limit")
        key, rate = THROTTLES[throttle.kind]
        host.setdefault(key, []).append({"Path": throttle.path, rate: throttle.rate})
    if limits.ulimits:
        host["Ulimits"] = [{"Name": one.name, "Soft": one.soft, "Hard": one.hard} for one in limits.ulimits]
    return host


__all__ = ["cannot", "host_limits", "host_rights"]
