"""What Docker's inspect JSON says when nobody configured anything: an allow-list. Pure data and its lookup.

A key that is not listed here is default only when it is empty, so a setting of a future version is reported, not lost.
Sources: moby api/types/container/{config,hostconfig}.go, daemon/config, oci/defaults.go; tests/recorded/docker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NOT_YET = "Tranship does not carry this setting yet"


@dataclass(frozen=True, slots=True)
class HostDefaults:
    """What this daemon gives to a container that asks for nothing (GET /info). "" = not known."""

    cgroup_version: str = ""
    runtime: str = "runc"
    log_driver: str = "json-file"


CARRIED = frozenset(
    {
        *(f"Config.{key}" for key in ("Image", "Cmd", "Entrypoint", "Env", "Labels", "User", "WorkingDir", "Hostname")),
        *(f"Config.{key}" for key in ("Tty", "OpenStdin", "ExposedPorts", "Volumes")),
        *(f"HostConfig.{key}" for key in ("Binds", "Mounts", "PortBindings", "PublishAllPorts", "RestartPolicy")),
        *(f"HostConfig.{key}" for key in ("Memory", "NanoCpus", "CpuQuota", "CpuPeriod", "DeviceRequests", "Runtime")),
    }
)
"""Keys that the recipe looks at itself, and reports itself where it cannot say their value."""

FACTS = frozenset(
    {
        "Config.AttachStdin",  # which streams the client attached to when it made the container
        "Config.AttachStdout",
        "Config.AttachStderr",
        "Config.ArgsEscaped",  # Windows images
        "HostConfig.ContainerIDFile",  # where the client wrote the id
        "HostConfig.ConsoleSize",  # the size of the client's terminal when it made the container
        *(f"NetworkSettings.{key}" for key in ("Bridge", "SandboxID", "SandboxKey", "Ports", "HairpinMode")),
        *(f"NetworkSettings.{key}" for key in ("LinkLocalIPv6Address", "LinkLocalIPv6PrefixLen", "EndpointID")),
        *(
            f"NetworkSettings.{key}"
            for key in ("SecondaryIPAddresses", "SecondaryIPv6Addresses", "Gateway", "IPAddress")
        ),
        *(
            f"NetworkSettings.{key}"
            for key in ("GlobalIPv6Address", "GlobalIPv6PrefixLen", "IPPrefixLen", "IPv6Gateway")
        ),
        *(f"NetworkSettings.{key}" for key in ("MacAddress", "Networks")),
    }
)
"""Keys that tell what became of the container, not what was asked for (networks are looked at one by one)."""

ENDPOINT_FACTS = frozenset(
    {"NetworkID", "EndpointID", "Gateway", "IPAddress", "IPPrefixLen", "IPv6Gateway", "GlobalIPv6Address"}
    | {"GlobalIPv6PrefixLen", "DNSNames", "MacAddress", "Aliases"}
)
"""As FACTS, of one network's endpoint; MacAddress and Aliases are looked at on their own."""

_ALSO_DEFAULT: Mapping[str, tuple[Any, ...]] = {
    "Config.StopTimeout": (10,),
    "Config.StopSignal": ("SIGTERM", "TERM", "15"),
    "HostConfig.NetworkMode": ("default", "bridge"),
    "HostConfig.IpcMode": ("private",),
    "HostConfig.ShmSize": (67108864,),
    "HostConfig.PidsLimit": (-1,),
    "HostConfig.MemorySwappiness": (-1,),
    "HostConfig.Isolation": ("default",),
    "HostConfig.VolumeDriver": ("local",),
}

_EMPTY_COUNTS = frozenset({"HostConfig.MemorySwappiness", "HostConfig.Init", "Config.StopTimeout"})
"""Keys whose default is null, and where 0 or false says something."""

_CORE_MASKED = {"/proc/kcore", "/proc/timer_list", "/sys/firmware"}
_MASKED = _CORE_MASKED | {
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
}
_READONLY = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}


def is_empty(value: object) -> bool:
    """Nothing said: null, "", 0, false, [], {}."""
    return value is None or value == "" or value == 0 or value == [] or value == {}


def _default_paths(value: object, core: set[str], known: set[str]) -> bool:
    """null, or a version's own list. An empty list says that nothing is masked (systempaths=unconfined)."""
    return value is None or (isinstance(value, list) and core <= (seen := set(map(str, value))) and seen <= known)


def is_default(path: str, value: object, host_config: Mapping[str, Any], defaults: HostDefaults) -> bool:
    """Whether this is what Docker reports for a container that asked for nothing."""
    if path == "HostConfig.MaskedPaths":
        return _default_paths(value, _CORE_MASKED, _MASKED)
    if path == "HostConfig.ReadonlyPaths":
        return _default_paths(value, _READONLY, _READONLY)
    if path == "HostConfig.LogConfig" and isinstance(value, Mapping):
        return value.get("Type") in {"", None, defaults.log_driver or "json-file"} and is_empty(value.get("Config"))
    if path == "HostConfig.CgroupnsMode":
        # moby daemon/config: private on cgroup v2, host on v1.
        own = {"1": ("host",), "2": ("private",)}.get(defaults.cgroup_version, ("host", "private"))
        return value in ("", None, *own)
    if path == "HostConfig.MemorySwap":
        # moby daemon: with a memory limit and no swap limit, memory and swap together are twice the limit.
        memory = host_config.get("Memory") or 0
        return is_empty(value) or (bool(memory) and value == 2 * memory)
    if path in _EMPTY_COUNTS:
        return value is None or value in _ALSO_DEFAULT.get(path, ())
    return is_empty(value) or (not isinstance(value, bool) and value in _ALSO_DEFAULT.get(path, ()))


_REASONS: Mapping[str, str] = {
    "Config.Healthcheck": "health checks are not carried yet",
    "Config.StdinOnce": "Podman has no such setting",
    "Config.Domainname": "Podman has no such setting",
    "Config.MacAddress": "addresses are the target network's to give",
    "HostConfig.AutoRemove": "a container that removes itself could not be rolled back",
    "HostConfig.CapAdd": "capabilities are not carried yet",
    "HostConfig.CapDrop": "capabilities are not carried yet",
    "HostConfig.Devices": "raw devices are not carried yet; ask for GPUs by their CDI names",
    "HostConfig.LogConfig": "log drivers differ between engines; the target's default is used",
    "HostConfig.NetworkMode": "networks are not carried yet; the target's default network is used",
    "HostConfig.Privileged": "privileges are not carried yet",
    "HostConfig.SecurityOpt": "security profiles are not carried yet",
    "HostConfig.Tmpfs": "tmpfs mounts are not carried yet",
    "HostConfig.VolumesFrom": "the volumes themselves are carried, as they are mounted",
}


def reason_of(path: str) -> str:
    """Why this setting is not carried, in words."""
    return _REASONS.get(path, NOT_YET)


__all__ = ["CARRIED", "ENDPOINT_FACTS", "FACTS", "NOT_YET", "HostDefaults", "is_default", "is_empty", "reason_of"]
