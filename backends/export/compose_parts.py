"""Groups of a recipe as keys of a Compose service: process, limits, rights, health. Pure; used by `compose_service`.

Source: the Compose Specification (compose-spec/spec.md and schema/compose-spec.json).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backends.export.unsaid import Ledger
from backends.model.run_words import cpus_text, size_text
from backends.model.settings import UNLIMITED, HealthSpec, ProcessSpec, SecuritySpec
from backends.model.workload import RestartName, WorkloadSpec

Body = dict[str, Any]

_THROTTLES = {
    "read-bps": "device_read_bps",
    "write-bps": "device_write_bps",
    "read-iops": "device_read_iops",
    "write-iops": "device_write_iops",
}


def kept(values: Mapping[str, Any]) -> Body:
    """Those that say something."""
    return {key: value for key, value in values.items() if value not in (None, "", 0, False, (), [], {})}


def _size(count: int) -> str | int:
    """-1 as it is."""
    return size_text(count) if count > 0 else count


def process(spec: WorkloadSpec, who: str, ledger: Ledger) -> Body:
    """How the first process is run and ended."""
    own: ProcessSpec = spec.process
    body: Body = {}
    if spec.entrypoint is not None:
        body["entrypoint"] = list(spec.entrypoint)
    if spec.command is not None:
        body["command"] = list(spec.command)
    if spec.restart.name is not RestartName.NO:
        body["restart"] = str(spec.restart)
    body |= kept(
        {
            "user": spec.user,
            "working_dir": spec.workdir,
            "hostname": spec.hostname,
            "domainname": own.domainname,
            "tty": spec.tty,
            "stdin_open": spec.stdin_open,
            "init": own.init,
            "stop_signal": own.stop_signal,
            "group_add": list(own.groups),
            "annotations": dict(own.annotations),
        }
    )
    if own.stop_timeout_s == UNLIMITED:
        ledger.cannot(who, "process.stop_timeout_s", "that a stop waits for ever", "Say a long stop_grace_period.")
    elif own.stop_timeout_s is not None:
        body["stop_grace_period"] = f"{own.stop_timeout_s}s"
    return body


def limits(spec: WorkloadSpec) -> Body:
    """Limits. Numbers of cores are texts, since Compose reads numbers as floats of 32 bits."""
    more = spec.resources
    body = kept(
        {
            "cpus": cpus_text(spec.cpus_nano) if spec.cpus_nano else "",
            "cpu_shares": more.cpu_shares,
            "cpu_quota": more.cpu_quota_us,
            "cpu_period": more.cpu_period_us,
            "cpu_rt_runtime": more.cpu_realtime_runtime_us,
            "cpu_rt_period": more.cpu_realtime_period_us,
            "cpuset": more.cpuset_cpus,
            "mem_limit": _size(spec.memory_bytes),
            "mem_reservation": _size(more.memory_reservation_bytes),
            "memswap_limit": _size(more.memory_swap_bytes),
            "oom_kill_disable": more.oom_kill_disable,
            "cgroup_parent": more.cgroup_parent,
            "runtime": more.runtime,
            "sysctls": dict(more.sysctls),
            "storage_opt": dict(more.storage),
            "ulimits": {one.name: {"soft": one.soft, "hard": one.hard} for one in more.ulimits},
        }
    )
    for key, value in (
        ("mem_swappiness", more.memory_swappiness),
        ("oom_score_adj", more.oom_score_adj),
        ("pids_limit", more.pids_limit),
    ):
        if value is not None:
            body[key] = value
    if spec.namespaces.shm_bytes is not None:
        body["shm_size"] = _size(spec.namespaces.shm_bytes)
    blocks: Body = {"weight": more.blkio_weight} if more.blkio_weight else {}
    for one in more.throttles:
        if one.kind == "weight":
            blocks.setdefault("weight_device", []).append({"path": one.path, "weight": one.rate})
        else:
            blocks.setdefault(_THROTTLES[one.kind], []).append({"path": one.path, "rate": one.rate})
    return body | ({"blkio_config": blocks} if blocks else {})


def rights(security: SecuritySpec, who: str, seccomp_file: str, ledger: Ledger) -> Body:
    """What the container may do. seccomp_file: where a profile of its own is written."""
    options = ["no-new-privileges:true"] if security.no_new_privileges else []
    if security.seccomp:
        options.append(f"seccomp:{'unconfined' if security.seccomp == 'unconfined' else f'./{seccomp_file}'}")
    if security.apparmor:
        options.append(f"apparmor:{security.apparmor}")
    options += [f"label:{option}" for option in security.selinux]
    if security.unmask == ("ALL",) and not security.mask:
        options.append("systempaths=unconfined")
    elif security.unmask or security.mask:
        for path in ("security.unmask", "security.mask"):
            ledger.cannot(who, path, "which paths of /proc and /sys are hidden")
    return kept(
        {
            "privileged": security.privileged,
            "cap_add": [name.removeprefix("CAP_") for name in security.cap_add],
            "cap_drop": [name.removeprefix("CAP_") for name in security.cap_drop],
            "security_opt": options,
            "read_only": security.read_only_rootfs,
            "device_cgroup_rules": list(security.device_cgroup_rules),
        }
    )


def health(check: HealthSpec | None) -> Body:
    """The health check."""
    if check is None:
        return {}
    if check.test == ("NONE",):
        return {"healthcheck": {"disable": True}}
    return {
        "healthcheck": {"test": list(check.test)}
        | kept(
            {
                "interval": _duration(check.interval_ns),
                "timeout": _duration(check.timeout_ns),
                "start_period": _duration(check.start_period_ns),
                "start_interval": _duration(check.start_interval_ns),
                "retries": check.retries,
            }
        )
    }


def _duration(count_ns: int) -> str:
    """Source: spec.md, "Specifying durations": us, ms, s, m, h."""
    for unit, letters in ((10**9, "s"), (10**6, "ms"), (10**3, "us")):
        if count_ns and count_ns % unit == 0:
            return f"{count_ns // unit}{letters}"
    return f"{-(-count_ns // 1000)}us" if count_ns else ""


__all__ = ["Body", "health", "kept", "limits", "process", "rights"]
