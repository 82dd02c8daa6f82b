"""What Docker's inspect JSON says when nobody configured anything: an allow-list. Pure data and its lookup.

A key that is not listed here is default only when it is empty, so a setting of a future version is reported, not lost.
Sources: moby api/types/container/{config,hostconfig}.go, daemon/config, oci/defaults.go; tests/recorded/docker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

UNKNOWN = "Tranship does not know this setting of Docker"


@dataclass(frozen=True, slots=True)
class HostDefaults:
    """What this daemon gives to a container that asks for nothing (GET /info). "" = not known.

    host_name: its machine's, which a container without a network of its own gets. swap_limit: False where the kernel
    cannot limit swap: Docker then reports "no limit" for every container with a memory limit.
    """

    cgroup_version: str = ""
    runtime: str = "runc"
    log_driver: str = "json-file"
    host_name: str = ""
    swap_limit: bool = True


_CARRIED_CONFIG = (
    *("Image", "Cmd", "Entrypoint", "Env", "Labels", "User", "WorkingDir", "Hostname", "Domainname", "Tty"),
    *("OpenStdin", "StdinOnce", "ExposedPorts", "Volumes", "Healthcheck", "StopSignal", "StopTimeout", "MacAddress"),
    "NetworkDisabled",
)
_CARRIED_HOST = (
    *("Binds", "Mounts", "Tmpfs", "PortBindings", "PublishAllPorts", "RestartPolicy", "AutoRemove", "Annotations"),
    *("Memory", "MemoryReservation", "MemorySwap", "MemorySwappiness", "OomKillDisable", "OomScoreAdj"),
    *("NanoCpus", "CpuQuota", "CpuPeriod", "CpuShares", "CpuRealtimePeriod", "CpuRealtimeRuntime", "CpusetCpus"),
    *("CpusetMems", "PidsLimit", "BlkioWeight", "BlkioWeightDevice", "BlkioDeviceReadBps", "BlkioDeviceWriteBps"),
    *("BlkioDeviceReadIOps", "BlkioDeviceWriteIOps", "Ulimits", "Sysctls", "StorageOpt", "CgroupParent", "Runtime"),
    *("DeviceRequests", "Devices", "DeviceCgroupRules", "Privileged", "CapAdd", "CapDrop", "SecurityOpt"),
    *("MaskedPaths", "ReadonlyPaths", "ReadonlyRootfs", "GroupAdd", "LogConfig", "NetworkMode", "Dns", "DnsSearch"),
    *("DnsOptions", "ExtraHosts", "Links", "IpcMode", "PidMode", "UTSMode", "UsernsMode", "CgroupnsMode", "ShmSize"),
)
CARRIED = frozenset({*(f"Config.{key}" for key in _CARRIED_CONFIG), *(f"HostConfig.{key}" for key in _CARRIED_HOST)})
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
    | {"GlobalIPv6PrefixLen", "DNSNames"}
)
"""As FACTS, of one network's endpoint."""

_ALSO_DEFAULT: Mapping[str, tuple[Any, ...]] = {
    "HostConfig.Isolation": ("default",),
    "HostConfig.VolumeDriver": ("local",),
}

DEFAULT_SHM_BYTES: Final = 67108864
DEFAULT_STOP_S: Final = 10

MASKED_ALWAYS = frozenset(
    {"/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats"}
    | {"/proc/sched_debug", "/proc/scsi", "/sys/firmware"}
)
"""What every Docker of API 1.40 and later hides; newer ones hide more."""
MASKED_KNOWN = MASKED_ALWAYS | {"/proc/asound", "/proc/interrupts", "/sys/devices/virtual/powercap"}
MASKED_WRITTEN = tuple(sorted(MASKED_ALWAYS | {"/proc/asound", "/sys/devices/virtual/powercap"}))
READONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")


def is_empty(value: object) -> bool:
    """Nothing said: null, "", 0, false, [], {}."""
    return value is None or value == "" or value == 0 or value == [] or value == {}


def is_default(path: str, value: object) -> bool:
    """Whether this is what Docker reports for a container that asked for nothing; of keys that nothing else reads."""
    if path == "HostConfig.Init":
        return value is not False  # true is in the recipe, false is where the daemon's own is to be switched off
    return is_empty(value) or (not isinstance(value, bool) and value in _ALSO_DEFAULT.get(path, ()))


_REASONS: Mapping[str, str] = {
    "HostConfig.Init": "that an engine's own init is switched off can be said to no other engine",
    "HostConfig.Cgroup": "joining another container's cgroup can be said to no other engine",
    "HostConfig.Isolation": "isolation is for Windows containers",
    "HostConfig.KernelMemory": "no kernel of today limits kernel memory on its own",
    "HostConfig.KernelMemoryTCP": "no kernel of cgroup v2 limits the memory of TCP buffers on its own",
    "HostConfig.VolumeDriver": "the volumes themselves are carried, into local ones",
    "HostConfig.VolumesFrom": "the volumes themselves are carried, as they are mounted",
    **dict.fromkeys(
        (f"HostConfig.{key}" for key in ("CpuCount", "CpuPercent", "IOMaximumIOps", "IOMaximumBandwidth")),
        "the limit is for Windows containers",
    ),
    **dict.fromkeys(("Config.OnBuild", "Config.Shell"), "it tells how images are built, not how a container runs"),
}


def reason_of(path: str) -> str:
    """Why this setting is not carried, in words."""
    return _REASONS.get(path, UNKNOWN)


__all__ = [
    "CARRIED",
    "DEFAULT_SHM_BYTES",
    "DEFAULT_STOP_S",
    "ENDPOINT_FACTS",
    "FACTS",
    "MASKED_ALWAYS",
    "MASKED_KNOWN",
    "MASKED_WRITTEN",
    "READONLY",
    "UNKNOWN",
    "HostDefaults",
    "is_default",
    "is_empty",
    "reason_of",
]
