"""What a container may do and how much it may take: rights, devices, limits. Pure; used by docker_recipe alone."""

from __future__ import annotations

from collections.abc import Iterable

from backends.engines.docker_defaults import MASKED_ALWAYS, MASKED_KNOWN, READONLY, HostDefaults
from backends.engines.docker_recipe_parts import Json, Left
from backends.model.settings import DeviceSpec, ResourceSpec, SecuritySpec, Throttle, Ulimit

CPU_PERIOD_US = 100_000  # the kernel's default CFS period, in microseconds
_PER_CPU = "/sys/devices/system/cpu/cpu"  # Docker 28 and later hide each processor's thermal_throttle
THROTTLES = {
    "read-bps": ("BlkioDeviceReadBps", "Rate"),
    "write-bps": ("BlkioDeviceWriteBps", "Rate"),
    "read-iops": ("BlkioDeviceReadIOps", "Rate"),
    "write-iops": ("BlkioDeviceWriteIOps", "Rate"),
    "weight": ("BlkioWeightDevice", "Weight"),
}
"""Kinds of a Throttle: their keys in HostConfig, and what their number is called there."""


def security(host: Json, left: Left) -> SecuritySpec:
    """SecurityOpt taken apart. Its words are joined by "=", in containers of old by ":"."""
    privileged = bool(host.get("Privileged"))
    told: dict[str, str] = {}
    selinux: list[str] = []
    no_new_privileges = False
    # moby daemon/create.go, generateSecurityOpt: Docker adds label=disable to such containers by itself.
    unlabelled = privileged or host.get("PidMode") == "host" or host.get("IpcMode") == "host"
    for index, option in enumerate(host.get("SecurityOpt") or ()):
        key, value = _pair(str(option))
        if key == "no-new-privileges":
            no_new_privileges = value not in {"false", "0"}
        elif key == "label":
            selinux += [value] if not (unlabelled and value == "disable") else []
        elif key == "seccomp" and value == "builtin":
            left.add(f"HostConfig.SecurityOpt[{index}]", option, "it is Docker's own profile; the target has its own")
        elif key in {"seccomp", "apparmor"}:
            told[key] = value
        else:
            left.add(f"HostConfig.SecurityOpt[{index}]", option, "no other engine knows this security option")
    mask, unmask = _masks(host)
    return SecuritySpec(
        privileged=privileged,
        cap_add=_capabilities(host.get("CapAdd")),
        cap_drop=_capabilities(host.get("CapDrop")),
        no_new_privileges=no_new_privileges,
        seccomp=told.get("seccomp", ""),
        apparmor=told.get("apparmor", ""),
        selinux=tuple(selinux),
        unmask=unmask,
        mask=mask,
        read_only_rootfs=bool(host.get("ReadonlyRootfs")),
        devices=tuple(_devices(host.get("Devices") or ())),
        device_cgroup_rules=tuple(map(str, host.get("DeviceCgroupRules") or ())),
    )


def _pair(option: str) -> tuple[str, str]:
    """("label", "type:x") of "label=type:x" and of "label:type:x"."""
    ends = [at for at in (option.find("="), option.find(":")) if at > 0]
    at = min(ends) if ends else len(option)
    return option[:at], option[at + 1 :]


def _capabilities(names: Iterable[str] | None) -> tuple[str, ...]:
    upper = (str(name).upper() for name in names or ())
    return tuple(name if name == "ALL" or name.startswith("CAP_") else f"CAP_{name}" for name in upper)


def _masks(host: Json) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(hidden in addition, open); systempaths=unconfined is kept as two empty lists, a privileged one's are null."""
    hidden, fixed = host.get("MaskedPaths"), host.get("ReadonlyPaths")
    if hidden == [] and fixed == []:
        return (), ("ALL",)
    seen = set(map(str, hidden or ()))
    more = {path for path in seen - MASKED_KNOWN if not path.startswith(_PER_CPU)}
    opened = set() if hidden is None else set(MASKED_ALWAYS) - seen
    opened |= set() if fixed is None else set(READONLY) - set(map(str, fixed))
    return tuple(sorted(more)), tuple(sorted(opened))


def _devices(items: Iterable[Json]) -> Iterable[DeviceSpec]:
    for item in items:
        path = str(item.get("PathOnHost") or "")
        inside = str(item.get("PathInContainer") or "") or path
        yield DeviceSpec(path, inside, str(item.get("CgroupPermissions") or "rwm"))


def resources(host: Json, defaults: HostDefaults) -> tuple[ResourceSpec, int]:
    """(limits, nano-CPUs). A quota over the usual period is the same limit as NanoCpus in other words."""
    nano, quota, period = (int(host.get(key) or 0) for key in ("NanoCpus", "CpuQuota", "CpuPeriod"))
    quota = max(0, quota)
    if not nano and quota and period in {0, CPU_PERIOD_US}:
        nano, quota, period = quota * (1_000_000_000 // CPU_PERIOD_US), 0, 0
    swappiness, pids, runtime = host.get("MemorySwappiness"), host.get("PidsLimit"), str(host.get("Runtime") or "")
    spec = ResourceSpec(
        memory_reservation_bytes=int(host.get("MemoryReservation") or 0),
        memory_swap_bytes=_swap(host, defaults),
        memory_swappiness=None if swappiness in {None, -1} else int(swappiness),
        oom_kill_disable=bool(host.get("OomKillDisable")),
        oom_score_adj=int(host.get("OomScoreAdj") or 0) or None,
        cpu_shares=int(host.get("CpuShares") or 0),
        cpu_quota_us=quota,
        cpu_period_us=period,
        cpu_realtime_runtime_us=int(host.get("CpuRealtimeRuntime") or 0),
        cpu_realtime_period_us=int(host.get("CpuRealtimePeriod") or 0),
        cpuset_cpus=str(host.get("CpusetCpus") or ""),
        cpuset_mems=str(host.get("CpusetMems") or ""),
        pids_limit=int(pids) if pids and int(pids) > 0 else None,
        blkio_weight=int(host.get("BlkioWeight") or 0),
        throttles=tuple(
            sorted(
                Throttle(kind, str(item.get("Path") or ""), int(item.get(rate) or 0))
                for kind, (key, rate) in THROTTLES.items()
                for item in host.get(key) or ()
            )
        ),
        ulimits=tuple(
            sorted(
                Ulimit(str(item.get("Name") or "").lower(), int(item.get("Soft") or 0), int(item.get("Hard") or 0))
                for item in host.get("Ulimits") or ()
            )
        ),
        sysctls={str(key): str(value) for key, value in (host.get("Sysctls") or {}).items()},
        storage={str(key): str(value) for key, value in (host.get("StorageOpt") or {}).items()},
        cgroup_parent=str(host.get("CgroupParent") or ""),
        runtime="" if runtime == defaults.runtime else runtime,
    )
    return spec, nano


def _swap(host: Json, defaults: HostDefaults) -> int:
    """0 where it is Docker's own: twice the memory (moby daemon_unix.go, adaptContainerSettings)."""
    memory, swap = int(host.get("Memory") or 0), int(host.get("MemorySwap") or 0)
    own = {0, 2 * memory} | ({-1} if not defaults.swap_limit else set())
    return 0 if swap in own else swap


__all__ = ["CPU_PERIOD_US", "THROTTLES", "resources", "security"]
