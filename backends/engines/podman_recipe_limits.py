"""Pure: the limits of a recipe out of inspect JSON. Used by podman_recipe alone; makes no calls.

What Podman writes by itself is subtracted where it is not known that it was asked for.
"""

from __future__ import annotations

from collections.abc import Iterator

from backends.engines.podman_asked import Asked
from backends.engines.podman_defaults import HostDefaults
from backends.engines.podman_translate import Json, labels_of
from backends.model.settings import ResourceSpec, Throttle, Ulimit

SWAP_UNLIMITED = 9223372036854771712
"""The kernel's "no limit" of memory.memsw (cgroup v1, page_counter.h); libpod's API refuses -1."""


def resources(inspect: Json, host: HostDefaults, asked: Asked) -> ResourceSpec:
    """Limits beyond memory and CPUs."""
    settings = inspect["HostConfig"]

    def number(key: str) -> int:
        return int(settings.get(key) or 0)

    quota, period = (0, 0) if _is_cpus(settings) else (number("CpuQuota"), number("CpuPeriod"))
    return ResourceSpec(
        memory_reservation_bytes=number("MemoryReservation"),
        memory_swap_bytes=_swap(number("Memory"), number("MemorySwap"), asked),
        memory_swappiness=_swappiness(settings.get("MemorySwappiness"), asked),
        oom_kill_disable=bool(settings.get("OomKillDisable")),
        oom_score_adj=asked.unless("resources.oom_score_adj", settings.get("OomScoreAdj"), 0, None),
        cpu_shares=number("CpuShares"),
        cpu_quota_us=quota,
        cpu_period_us=period,
        cpu_realtime_runtime_us=number("CpuRealtimeRuntime"),
        cpu_realtime_period_us=number("CpuRealtimePeriod"),
        cpuset_cpus=str(settings.get("CpusetCpus") or ""),
        cpuset_mems=str(settings.get("CpusetMems") or ""),
        pids_limit=_pids(settings.get("PidsLimit"), host, asked),
        blkio_weight=number("BlkioWeight"),
        throttles=tuple(_throttles(settings)),
        ulimits=tuple(
            Ulimit(str(one.get("name")), int(one.get("soft", 0)), int(one.get("hard", 0)))
            for one in asked.entries("resources.ulimits")
        ),
        sysctls=labels_of(asked.values.get("resources.sysctls")),
        storage=labels_of(asked.values.get("resources.storage")),
        cgroup_parent=_cgroup_parent(settings),
        runtime=_runtime(inspect, host),
    )


def _pids(shown: object, host: HostDefaults, asked: Asked) -> int | None:
    """-1 for no limit, which 0 is too (podman-create(1)). An engine that enforces no limits shows 0 of all."""
    told = asked.values.get("resources.pids_limit")
    if shown == 0 and host.pids == 0:
        return -1 if str(told) in {"-1", "0"} else None
    found = asked.unless("resources.pids_limit", shown, host.pids, None)
    return int(found) or -1 if found is not None else None


def _swappiness(shown: object, asked: Asked) -> int | None:
    """0 is shown where nothing was asked for, and where the engine did not apply what was."""
    told = str(asked.values.get("resources.memory_swappiness"))
    return int(str(shown)) if shown not in (None, 0, -1) or str(shown) == told else None


def _is_cpus(settings: Json) -> bool:
    """Whether quota and period say no more than NanoCpus does."""
    nano, period, quota = (int(settings.get(key) or 0) for key in ("NanoCpus", "CpuPeriod", "CpuQuota"))
    if period not in (0, 100_000):
        return False
    return not quota or abs(quota * 1_000_000_000 - nano * 100_000) <= 1_000_000_000


def cpus_nano(settings: Json, asked: Asked) -> int:
    """Nano-CPUs; 0 where they are said by quota and period."""
    nano = max(0, int(settings.get("NanoCpus") or 0))
    told = asked.values.get("cpus_nano")
    if isinstance(told, int) and nano and abs(told - nano) < 1_000_000:  # what a quota of whole microseconds rounds off
        return told
    return nano if _is_cpus(settings) else 0


def _swap(memory: int, swap: int, asked: Asked) -> int:
    """Where the API or the command line left it out, Podman has made it twice the memory; so none is no limit."""
    if swap >= SWAP_UNLIMITED:
        return -1
    if not memory:
        return swap
    if not swap:
        told = asked.values.get("resources.memory_swap_bytes")
        return -1 if str(told) == "-1" else 0
    return int(asked.unless("resources.memory_swap_bytes", swap, 2 * memory, nothing=0))


def _throttles(settings: Json) -> Iterator[Throttle]:
    kinds = {
        "BlkioDeviceReadBps": "read-bps",
        "BlkioDeviceReadIOps": "read-iops",
        "BlkioWeightDevice": "weight",
        "BlkioDeviceWriteBps": "write-bps",
        "BlkioDeviceWriteIOps": "write-iops",
    }
    found = [
        Throttle(kind, str(one.get("Path")), int(one.get("Rate") or one.get("Weight") or 0))
        for key, kind in kinds.items()
        for one in settings.get(key) or ()
    ]
    yield from sorted(found)


def _cgroup_parent(settings: Json) -> str:
    parent = str(settings.get("CgroupParent") or "")
    return "" if parent in {"machine.slice", "user.slice"} else parent


def _runtime(inspect: Json, host: HostDefaults) -> str:
    name = str(inspect.get("OCIRuntime") or "")
    return "" if name in ({host.runtime} if host.runtime else {"runc", "crun"}) else name


def ulimits_doubtful(inspect: Json, asked: Asked) -> bool:
    """Whether it is not known which of the shown limits were asked for: an API other than ours made it."""
    known = {"RLIMIT_NOFILE": 1_048_576, "RLIMIT_NPROC": 4_194_304}  # where containers.conf says nothing (specgen)
    limits = inspect["HostConfig"].get("Ulimits") or ()
    return not asked.known and not all(
        one.get("Hard") == one.get("Soft") == known.get(str(one.get("Name"))) for one in limits
    )


__all__ = ["SWAP_UNLIMITED", "cpus_nano", "resources", "ulimits_doubtful"]
