"""Rows of the field table: limits, health checks, logs. Pure data and rules."""

from __future__ import annotations

from typing import Any

from backends.migration.rules import limit, never, no_controller, only_cgroup_v1, podman_only
from backends.migration.show import (
    argv,
    count,
    describe_throttle,
    describe_ulimit,
    shown,
    size,
    span_ns,
    text_of_startup,
    yes,
)
from backends.migration.table import PAIRS, PLAIN_TEXT, Case, Fate, Row, dropped, named, text
from backends.model.settings import HealthSpec, Throttle, Ulimit

_FILES = {"json-file": "k8s-file", "local": "k8s-file", "k8s-file": "json-file"}
_COMMON = frozenset({"none", "journald"})
_BOTH_OPTIONS = frozenset({"max-size", "tag"})


def _cores(nano: int) -> str:
    return f"{nano / 1e9:g} cores"


def _micros(count_us: int) -> str:
    return f"{count_us} us"


def _realtime(value: int, case: Case) -> Fate:
    if case.target.info.cgroup_version == "2":
        return dropped("cgroup v2, which the target uses, has no real-time limits")
    if case.target.info.rootless:
        return dropped("a rootless engine may not give real-time time")
    return Fate(value)


def _oom_score(value: int, case: Case) -> Fate:
    if value < 0 and case.target.info.rootless:
        return dropped("a rootless engine may not protect a process from being killed when memory is short")
    return Fate(value)


def _throttle_name(throttle: Throttle) -> str:
    return f"{throttle.kind}.{throttle.path}"


def _ulimit_name(ulimit: Ulimit) -> str:
    return ulimit.name


def _check(value: tuple[str, ...], case: Case) -> Fate:
    return Fate(value, case.decided.check_of_image)


def _log_driver(value: str, case: Case) -> Fate:
    if not case.crossing or value in _COMMON:
        return Fate(value)
    if value in _FILES:
        return Fate(_FILES[value], f"the target writes logs to files with {_FILES[value]}")
    if case.target.docker:
        return dropped(f"Docker has no log driver {value}: its own default is used")
    return Fate("journald", f"Podman has no log driver {value}: the journal keeps the log")


def _log_option(name: str, case: Case) -> str:
    log = case.spec.log
    if not case.crossing or log is None:
        return ""
    if name not in _BOTH_OPTIONS:
        return "the target's log driver has no such option"
    written = _log_driver(log.driver, case) if log.driver else Fate("")
    lacks = written.dropped or written.value == "none" or (written.value == "journald" and name == "max-size")
    return "the target's log driver has no such option" if lacks else ""


def _start_interval(value: int, case: Case) -> Fate:
    return dropped("Podman checks at the same interval from the start") if case.target.podman else Fate(value)


def _startup(value: HealthSpec, case: Case) -> Fate:
    return podman_only("checks begin at once")(value, case)


def _memory_reservation(value: int, case: Case) -> Fate:
    why = no_controller("memory", case)
    return dropped(why) if why else Fate(value)


def _argv(value: Any) -> str:
    return argv(tuple(value))


ROWS = (
    Row("memory_bytes", "HostConfig.Memory", "resource_limits.memory.limit", text(size), limit("memory"),
        "limits are dropped where the target cannot enforce them"),
    Row("cpus_nano", "HostConfig.NanoCpus", "resource_limits.cpu.quota (period 100 ms)", text(_cores), limit("cpu"),
        "as memory_bytes"),
    Row("resources.memory_reservation_bytes", "HostConfig.MemoryReservation", "resource_limits.memory.reservation",
        text(size), _memory_reservation, "as memory_bytes"),
    Row("resources.memory_swap_bytes", "HostConfig.MemorySwap", "resource_limits.memory.swap", text(size),
        limit("memory"), "as memory_bytes"),
    Row("resources.memory_swappiness", "HostConfig.MemorySwappiness", "resource_limits.memory.swappiness", PLAIN_TEXT,
        limit("memory", only_cgroup_v1), "dropped on cgroup v2"),
    Row("resources.oom_kill_disable", "HostConfig.OomKillDisable", "resource_limits.memory.disableOOMKiller", text(yes),
        limit("memory", only_cgroup_v1), "dropped on cgroup v2"),
    Row("resources.oom_score_adj", "HostConfig.OomScoreAdj", "oom_score_adj", PLAIN_TEXT, _oom_score,
        "below 0: dropped on a rootless engine"),
    Row("resources.cpu_shares", "HostConfig.CpuShares", "resource_limits.cpu.shares", PLAIN_TEXT, limit("cpu"),
        "as memory_bytes"),
    Row("resources.cpu_quota_us", "HostConfig.CpuQuota", "resource_limits.cpu.quota", text(_micros), limit("cpu"),
        "as memory_bytes"),
    Row("resources.cpu_period_us", "HostConfig.CpuPeriod", "resource_limits.cpu.period", text(_micros), limit("cpu"),
        "as memory_bytes"),
    Row("resources.cpu_realtime_runtime_us", "HostConfig.CpuRealtimeRuntime", "resource_limits.cpu.realtimeRuntime",
        text(_micros), limit("cpu", _realtime), "only on cgroup v1, rootful"),
    Row("resources.cpu_realtime_period_us", "HostConfig.CpuRealtimePeriod", "resource_limits.cpu.realtimePeriod",
        text(_micros), limit("cpu", _realtime), "only on cgroup v1, rootful"),
    Row("resources.cpuset_cpus", "HostConfig.CpusetCpus", "resource_limits.cpu.cpus", PLAIN_TEXT, limit("cpuset"),
        "as memory_bytes"),
    Row("resources.cpuset_mems", "HostConfig.CpusetMems", "resource_limits.cpu.mems", PLAIN_TEXT, limit("cpuset"),
        "as memory_bytes"),
    Row("resources.pids_limit", "HostConfig.PidsLimit", "resource_limits.pids.limit", text(count), limit("pids"),
        "as memory_bytes"),
    Row("resources.blkio_weight", "HostConfig.BlkioWeight", "resource_limits.blockIO.weight", PLAIN_TEXT, limit("io"),
        "as memory_bytes"),
    Row("resources.throttles", "HostConfig.BlkioDevice*", "throttle{Read,Write}{Bps,IOPS}Device, weightDevice",
        text(describe_throttle), limit("io"), "as memory_bytes", named(_throttle_name), key=sorted,
        subs={"kind": ("the key", "the key", ""), "path": ("Path", "the key", "must exist on the target"),
              "rate": ("Rate, Weight", "rate, weight", "")}),
    Row("resources.ulimits", "HostConfig.Ulimits", "r_limits", text(describe_ulimit), parts=named(_ulimit_name),
        key=sorted, subs={"name": ("Name", "type (RLIMIT_…)", ""), "soft": ("Soft", "soft", ""),
                          "hard": ("Hard", "hard", "a rootless engine cannot go above its caller's")}),
    Row("resources.sysctls", "HostConfig.Sysctls", "sysctl", shown, parts=PAIRS),
    Row("resources.storage", "HostConfig.StorageOpt", "storage_opts", shown,
        never("sizes of writable layers depend on the storage below, which differs"), "dropped", PAIRS),
    Row("resources.cgroup_parent", "HostConfig.CgroupParent", "cgroup_parent", PLAIN_TEXT,
        never("names in the cgroup tree belong to one engine"), "dropped"),
    Row("resources.runtime", "HostConfig.Runtime", "oci_runtime", PLAIN_TEXT,
        never("runtimes are known by name to one engine only: the target's own is used"), "dropped"),
    Row("health.test", "Config.Healthcheck.Test", "healthconfig.Test", text(_argv), _check,
        "what the image says is left out, but where Podman would not take it from the image"),
    Row("health.interval_ns", "Config.Healthcheck.Interval", "healthconfig.Interval", text(span_ns)),
    Row("health.timeout_ns", "Config.Healthcheck.Timeout", "healthconfig.Timeout", text(span_ns)),
    Row("health.start_period_ns", "Config.Healthcheck.StartPeriod", "healthconfig.StartPeriod", text(span_ns)),
    Row("health.start_interval_ns", "Config.Healthcheck.StartInterval", "-", text(span_ns), _start_interval,
        "dropped on Podman"),
    Row("health.retries", "Config.Healthcheck.Retries", "healthconfig.Retries", PLAIN_TEXT),
    Row("health.on_failure", "-", "health_check_on_failure_action", PLAIN_TEXT,
        podman_only("a failed check changes the state only"), "dropped on Docker"),
    Row("health.startup", "-", "startupHealthConfig", text(text_of_startup), _startup, "dropped on Docker"),
    Row("health.startup_successes", "-", "startupHealthConfig.Successes", PLAIN_TEXT,
        podman_only("it has no startup check"), "dropped on Docker"),
    Row("log.driver", "HostConfig.LogConfig.Type", "log_configuration.driver", PLAIN_TEXT, _log_driver,
        "json-file and local ↔ k8s-file; what Podman has not becomes journald; old logs stay with the source"),
    Row("log.options", "HostConfig.LogConfig.Config", "log_configuration.size, .options", shown, parts=PAIRS,
        unwanted=_log_option, said="max-size and tag; others are dropped between Docker and Podman"),
    Row("unmapped", "everything else", "everything else", PLAIN_TEXT, key=None,
        said="dropped, each with the reason",
        subs={"path": ("its path", "its path", ""), "value": ("its value", "its value", ""),
              "reason": ("why", "why", "")}),
)  # fmt: skip
