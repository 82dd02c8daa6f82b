"""Pure: a recipe's limits as parts of SpecGenerator JSON. Used by podman_spec alone; makes no calls.

Source: podman 5.4, pkg/specgen/specgen.go and OCI runtime-spec, LinuxResources.
"""

from __future__ import annotations

from typing import Any

from backends.engines.podman_recipe_limits import SWAP_UNLIMITED
from backends.engines.podman_spec_lacking import lacking
from backends.model.capabilities import EngineInfo
from backends.model.settings import UNLIMITED, ResourceSpec, Throttle
from backends.model.workload import WorkloadSpec

Body = dict[str, Any]

CPU_PERIOD_US = 100_000  # the kernel's default; Docker's NanoCpus and `podman --cpus` use it too
_NO_LIMIT = (1 << 64) - 1


def add_resources(body: Body, spec: WorkloadSpec, info: EngineInfo, own_runtime: str) -> None:
    """Limits. Rootless engines on cgroup v1 ignore those of cgroups: EngineInfo says it (RESOURCE_LIMITS)."""
    limits = spec.resources
    _refuse_lacking(limits, info, own_runtime)
    groups: Body = {"memory": _memory(spec.memory_bytes, limits), "cpu": _cpu(spec.cpus_nano, limits)}
    if limits.pids_limit is not None:
        groups["pids"] = {"limit": limits.pids_limit}
    if limits.blkio_weight:
        groups["blockIO"] = {"weight": limits.blkio_weight}
    groups = {key: value for key, value in groups.items() if value}
    if groups:
        body["resource_limits"] = groups
    for throttle in limits.throttles:
        _add_throttle(body, throttle)
    _add_others(body, limits)


def _refuse_lacking(limits: ResourceSpec, info: EngineInfo, own_runtime: str) -> None:
    if limits.runtime and limits.runtime != own_runtime:
        hint = "Podman's service takes the runtime of its own configuration (containers.conf, runtime)."
        raise lacking("resources.runtime", limits.runtime, hint)
    if info.cgroup_version == "2":
        for name in ("memory_swappiness", "oom_kill_disable"):
            if getattr(limits, name) not in (None, False):
                raise lacking(f"resources.{name}", getattr(limits, name), "cgroup v2 does not have it: leave it out.")


def _memory(limit_bytes: int, limits: ResourceSpec) -> Body:
    memory: Body = {}
    for key, value in (("limit", limit_bytes), ("reservation", limits.memory_reservation_bytes)):
        if value:
            memory[key] = value
    if limits.memory_swap_bytes:
        memory["swap"] = SWAP_UNLIMITED if limits.memory_swap_bytes == UNLIMITED else limits.memory_swap_bytes
    if limits.memory_swappiness is not None:
        memory["swappiness"] = limits.memory_swappiness
    if limits.oom_kill_disable:
        memory["disableOOMKiller"] = True
    return memory


def _cpu(nano: int, limits: ResourceSpec) -> Body:
    cpu: Body = {}
    if nano:
        # the kernel refuses under 1 ms
        cpu = {"quota": max(1000, nano * CPU_PERIOD_US // 1_000_000_000), "period": CPU_PERIOD_US}
    for key, number in (
        ("quota", limits.cpu_quota_us),
        ("period", limits.cpu_period_us),
        ("shares", limits.cpu_shares),
        ("realtimeRuntime", limits.cpu_realtime_runtime_us),
        ("realtimePeriod", limits.cpu_realtime_period_us),
    ):
        if number:
            cpu[key] = number
    for key, text in (("cpus", limits.cpuset_cpus), ("mems", limits.cpuset_mems)):
        if text:
            cpu[key] = text
    return cpu


def _add_others(body: Body, limits: ResourceSpec) -> None:
    """What is no control group's."""
    if limits.oom_score_adj is not None:
        body["oom_score_adj"] = limits.oom_score_adj
    if limits.ulimits:
        body["r_limits"] = [
            # The name without its prefix: libpod adds it, so that "RLIMIT_NOFILE" would be RLIMIT_RLIMIT_NOFILE.
            {"type": limit.name, "soft": _rlimit(limit.soft), "hard": _rlimit(limit.hard)}
            for limit in limits.ulimits
        ]
    for key, mapping in (("sysctl", limits.sysctls), ("storage_opts", limits.storage)):
        if mapping:
            body[key] = dict(mapping)
    if limits.cgroup_parent:
        body["cgroup_parent"] = limits.cgroup_parent


def _rlimit(number: int) -> int:
    return _NO_LIMIT if number == UNLIMITED else number


def _add_throttle(body: Body, throttle: Throttle) -> None:
    keys = {
        "read-bps": "throttleReadBpsDevice",
        "write-bps": "throttleWriteBpsDevice",
        "read-iops": "throttleReadIOPSDevice",
        "write-iops": "throttleWriteIOPSDevice",
        "weight": "weightDevice",
    }
    if throttle.kind not in keys:
        raise lacking("resources.throttles", throttle.kind, "Use one of " + ", ".join(sorted(keys)) + ".")
    rate = {"weight" if throttle.kind == "weight" else "rate": throttle.rate}
    body.setdefault(keys[throttle.kind], {})[throttle.path] = rate


__all__ = ["CPU_PERIOD_US", "add_resources"]
