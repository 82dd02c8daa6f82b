"""What Podman itself writes into a container's inspect JSON, so that what a person configured can be told apart.

A table and the walk over it; pure. Source: `podman inspect` of plain containers of 5.4.2, rootful and rootless
(tests/recorded/podman), and containers.conf(5) for the values that differ by host.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from backends.model.workload import UnmappedField

NOT_YET = "not carried yet"
UNKNOWN = "a setting that Tranship does not know"
UNTOLD = "Podman does not tell whether this was configured or is its own default"

EMPTY: tuple[Any, ...] = (None, "", 0, False, [], {})

CARRIED = frozenset(
    {
        "Name", "Image", "ImageName", "Mounts", "Config", "HostConfig", "NetworkSettings",
        "Config.Hostname", "Config.User", "Config.Tty", "Config.OpenStdin", "Config.Env", "Config.Cmd",
        "Config.WorkingDir", "Config.Entrypoint", "Config.Labels", "Config.Annotations", "Config.ExposedPorts",
        "Config.StopSignal", "Config.StopTimeout", "Config.Healthcheck", "Config.HealthcheckOnFailureAction",
        "Config.StartupHealthCheck", "Config.Timezone", "Config.Umask", "Config.Domainname", "Config.StdinOnce",
        "Config.SystemdMode", "OCIRuntime", "AppArmorProfile", "UseImageHosts",
        *(f"HostConfig.{key}" for key in (
            "PortBindings", "PublishAllPorts", "RestartPolicy", "Memory", "NanoCpus", "CpuPeriod", "CpuQuota",
            "Devices", "LogConfig", "MemorySwap", "NetworkMode", "Ulimits", "AutoRemove", "GroupAdd", "Init", "Dns",
            "DnsOptions", "DnsSearch", "ExtraHosts", "HostsFile", "Links", "IpcMode", "PidMode", "UTSMode",
            "CgroupMode", "UsernsMode", "IDMappings", "ShmSize", "Privileged", "CapAdd", "CapDrop", "SecurityOpt",
            "ReadonlyRootfs", "Tmpfs", "MemoryReservation", "MemorySwappiness", "OomKillDisable", "OomScoreAdj",
            "CpuShares", "CpuRealtimePeriod", "CpuRealtimeRuntime", "CpusetCpus", "CpusetMems", "PidsLimit",
            "BlkioWeight", "BlkioWeightDevice", "BlkioDeviceReadBps", "BlkioDeviceWriteBps", "BlkioDeviceReadIOps",
            "BlkioDeviceWriteIOps", "CgroupParent",
        )),
    }
)  # fmt: skip
"""Fields that podman_recipe reads itself, and reports itself where it cannot carry them."""

OBSERVED = frozenset(
    {
        "Id", "Created", "Path", "Args", "State", "ImageDigest", "ResolvConfPath", "HostnamePath", "HostsPath",
        "StaticDir", "OCIConfigPath", "ConmonPidFile", "PidFile", "RestartCount", "Driver", "MountLabel",
        "ProcessLabel", "EffectiveCaps", "BoundingCaps", "ExecIDs", "GraphDriver", "SizeRootFs", "SizeRw", "lockNumber",
        "LockNumber", "Config.Image", "Config.AttachStdin", "Config.AttachStdout", "Config.AttachStderr",
        "Config.CreateCommand", "HostConfig.ContainerIDFile", "HostConfig.Binds",
        "HostConfig.CgroupManager", "HostConfig.Annotations",
    }
)  # fmt: skip
"""Facts that follow from other fields or from running; nobody sets them."""

_DEFAULTS: Mapping[str, tuple[Any, ...]] = {
    "OCIRuntime": ("runc", "crun", ""),
    "AppArmorProfile": ("",),
    "KubeExitCodePropagation": ("invalid", ""),
    "Config.HealthcheckOnFailureAction": ("none", ""),
    "Config.HealthLogDestination": ("local", ""),
    "Config.HealthcheckMaxLogCount": (5, 0),
    "Config.HealthcheckMaxLogSize": (500, 0),
    "Config.Umask": ("0022", ""),
    "Config.StopTimeout": (10,),
    "Config.Passwd": (True, None),
    "Config.sdNotifyMode": ("container", ""),
    "HostConfig.Cgroups": ("default", ""),
    "HostConfig.IpcMode": ("shareable",),
    "HostConfig.PidMode": ("private",),
    "HostConfig.UTSMode": ("private",),
    "HostConfig.ShmSize": (65_536_000, 67_108_864),  # 64 MB, and 64 MiB on newer ones
    "HostConfig.Runtime": ("oci",),
    "HostConfig.ConsoleSize": ([0, 0], None),
    "HostConfig.CgroupParent": ("", "machine.slice", "user.slice"),
    "HostConfig.MemorySwappiness": (0, -1),
}
"""Values that Podman writes for "not configured"; a field that is not named here has the EMPTY ones."""

_REASONS: Mapping[str, str] = {
    "Pod": "a pod's shared namespaces are not carried",
    "Rootfs": "it runs from a directory instead of an image",
    "HostConfig.VolumesFrom": "its mounts are carried one by one",
    "Config.Secrets": "Podman gives a secret to nobody: make it again on the target",
    "Dependencies": "other containers that it depends on are not carried",
}

INJECTED_ANNOTATIONS = frozenset(
    {
        "io.container.manager",
        "org.opencontainers.image.stopSignal",
        "org.systemd.property.KillSignal",
        "org.systemd.property.TimeoutStopUSec",
        # These repeat a field of HostConfig, which is reported by itself.
        *(
            f"io.podman.annotations.{name}"
            for name in (
                "init",
                "autoremove",
                "autoremove-image",
                "privileged",
                "publish-all",
                "volumes-from",
                "cid-file",
                "label",
                "seccomp",
                "apparmor",
                "userns",
            )
        ),
    }
)


@dataclass(frozen=True, slots=True)
class HostDefaults:
    """What this engine gives a container that asks for nothing.

    cgroup_namespace: "host" on cgroup v1, "private" on v2. pids: 0 where limits do not work.
    network: the mode. runtime: the OCI runtime's name, "" = not known.
    """

    log_driver: str = "k8s-file"
    cgroup_namespace: str = "host"
    pids: int = 2048
    network: str = "bridge"
    runtime: str = ""

    @classmethod
    def of(cls, info: Mapping[str, Any]) -> HostDefaults:
        """From `GET /libpod/info`."""
        host = info.get("host") or {}
        second = host.get("cgroupVersion") == "v2"
        rootless = bool((host.get("security") or {}).get("rootless"))
        return cls(
            log_driver=str(host.get("logDriver") or "k8s-file"),
            cgroup_namespace="private" if second else "host",
            pids=0 if rootless and not second else 2048,  # containers.conf(5), pids_limit
            network=str(host.get("rootlessNetworkCmd") or "pasta") if rootless else "bridge",
            runtime=str((host.get("ociRuntime") or {}).get("name") or ""),
        )


def as_json(value: object) -> str:
    """JSON text with sorted keys, for UnmappedField.value."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def unmapped(path: str, value: object, reason: str = "") -> UnmappedField:
    """The report of one field. reason: "" = the table's, or "not carried yet"."""
    return UnmappedField(path, as_json(value), reason or _REASONS.get(path, NOT_YET))


def is_default(path: str, value: object, host: HostDefaults) -> bool:
    """Whether Podman writes this value where nothing was configured."""
    if path == "HostConfig.CgroupMode":
        return value in ("", host.cgroup_namespace)
    if path == "OCIRuntime" and host.runtime:
        return value in ("", host.runtime)
    if path == "HostConfig.PidsLimit":
        return value == host.pids
    if path == "AppArmorProfile" and isinstance(value, str) and value.startswith("containers-default-"):
        return True
    return any(type(value) is type(default) and value == default for default in _DEFAULTS.get(path, EMPTY))


def walk(inspect: Mapping[str, Any], host: HostDefaults) -> Iterator[UnmappedField]:
    """Every field of the top level, of Config and of HostConfig that is neither read, observed nor a default."""
    sections = [("", inspect), ("Config.", inspect.get("Config") or {}), ("HostConfig.", inspect["HostConfig"] or {})]
    for prefix, section in sections:
        for key, value in section.items():
            path = prefix + key
            if path in CARRIED or path in OBSERVED or is_default(path, value, host):
                continue
            yield unmapped(path, value, "" if known(path) else UNKNOWN)


def known(path: str) -> bool:
    """Whether the field is one of those that Podman 5.4 writes (then it is "not carried yet", not unknown)."""
    return path in _DEFAULTS or path in _REASONS or path in _KNOWN


_KNOWN = frozenset(
    {
        "Pod", "Dependencies", "Namespace", "IsInfra", "IsService", "UseImageHosts", "UseImageHostname", "Rootfs",
        *(f"Config.{key}" for key in (
            "Domainname", "StdinOnce", "Volumes", "OnBuild", "StartupHealthCheck", "Timezone", "SystemdMode", "Timeout",
            "Secrets", "ChrootDirs",
        )),
        *(f"HostConfig.{key}" for key in (
            "CgroupMode", "ContainerIDFile", "AutoRemove", "AutoRemoveImage", "VolumeDriver", "VolumesFrom", "CapAdd",
            "CapDrop", "Dns", "DnsOptions", "DnsSearch", "ExtraHosts", "HostsFile", "GroupAdd", "Cgroup", "Links",
            "OomScoreAdj", "Privileged", "PublishAllPorts", "ReadonlyRootfs", "SecurityOpt", "Tmpfs", "UsernsMode",
            "IDMappings", "Isolation", "CpuShares", "BlkioWeight", "BlkioWeightDevice", "BlkioDeviceReadBps",
            "BlkioDeviceWriteBps", "BlkioDeviceReadIOps", "BlkioDeviceWriteIOps", "CpuRealtimePeriod",
            "CpuRealtimeRuntime", "CpusetCpus", "CpusetMems", "DiskQuota", "KernelMemory", "MemoryReservation",
            "OomKillDisable", "Init", "PidsLimit", "CpuCount", "CpuPercent", "IOMaximumIOps", "IOMaximumBandwidth",
            "CgroupConf", "IntelRdt",
        )),
    }
)  # fmt: skip
