"""The parts of a recipe that are groups of their own: process, network, namespaces, rights, limits, health, log.

Every field's default says "what the engine gives to a container that asks for nothing"; a field is set only where
somebody set it. What the engines' own defaults are, and how they differ, is backends.migration's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from backends.model.container import NO_LABELS

UNLIMITED = -1
"""Of pids_limit, memory_swap_bytes, ulimits and stop_timeout_s: without end."""


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """How the first process is run and ended.

    groups: extra groups (names or numbers; "keep-groups" on rootless Podman). init: an init process reaps zombies.
    stop_signal: as "SIGINT". stop_timeout_s: seconds, -1 = wait for ever. stdin_once: close stdin after the first.
    unset_env: variables of the image that the container is not to have. http_proxy: pass the host's proxy variables
    (Podman only; None = engine's own). systemd: "true", "false", "always" (Podman only). auto_remove: --rm.
    timezone, umask: Podman only ("Europe/Berlin", "0027").
    """

    groups: tuple[str, ...] = ()
    init: bool = False
    stop_signal: str | None = None
    stop_timeout_s: int | None = None
    domainname: str = ""
    stdin_once: bool = False
    unset_env: tuple[str, ...] = ()
    http_proxy: bool | None = None
    systemd: str = ""
    auto_remove: bool = False
    timezone: str = ""
    umask: str = ""
    annotations: Mapping[str, str] = field(default_factory=lambda: NO_LABELS)


@dataclass(frozen=True, slots=True)
class NetworkAttachment:
    """One user-defined network that the container joins.

    ipv4, ipv6, mac: only where they were asked for. aliases: without those that an engine adds by itself.
    options: driver options of this endpoint.
    """

    network: str
    aliases: tuple[str, ...] = ()
    ipv4: str = ""
    ipv6: str = ""
    mac: str = ""
    interface: str = ""
    options: Mapping[str, str] = field(default_factory=lambda: NO_LABELS)


@dataclass(frozen=True, slots=True)
class NetworkingSpec:
    """How the container reaches others.

    mode: "" = engine's own; "bridge", "none", "host", "container:NAME", "pasta", "slirp4netns" (options after ":").
    A container on user-defined networks has mode "bridge" and `networks`. mac: of the default network, where asked for.
    extra_hosts: "name:address" ("host-gateway" too). base_hosts: whose /etc/hosts is the base: "none", "image", a path
    (Podman only). links: Docker's legacy "container:alias". publish_all: every exposed port gets a host port.
    no_hosts, no_resolv: the engine is not to write /etc/hosts, /etc/resolv.conf (Podman only).
    """

    mode: str = ""
    networks: tuple[NetworkAttachment, ...] = ()
    mac: str = ""
    dns: tuple[str, ...] = ()
    dns_search: tuple[str, ...] = ()
    dns_options: tuple[str, ...] = ()
    extra_hosts: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    publish_all: bool = False
    base_hosts: str = ""
    no_hosts: bool = False
    no_resolv: bool = False


@dataclass(frozen=True, slots=True)
class NamespaceSpec:
    """Namespaces, each "" (engine's own), "host", "private", "container:NAME", or as noted.

    ipc: also "shareable", "none". user: also "keep-id", "auto", "nomap" (options after ":"). shm_bytes: of /dev/shm.
    """

    ipc: str = ""
    pid: str = ""
    uts: str = ""
    cgroup: str = ""
    user: str = ""
    shm_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class DeviceSpec:
    """A device node. permissions: of "rwm"."""

    host_path: str
    container_path: str
    permissions: str = "rwm"


@dataclass(frozen=True, slots=True)
class SecuritySpec:
    """What the container may do.

    cap_add, cap_drop: with the prefix ("CAP_NET_RAW"; "ALL"). seccomp: "" = engine's own, "unconfined", or the profile
    itself as JSON text. apparmor: a profile's name, "unconfined". selinux: label options ("disable", "type:x").
    unmask: paths of /proc and /sys that are to be open, ("ALL",) = all. mask: paths hidden in addition.
    read_write_tmpfs: with a read-only root, whether /tmp, /run and /var/tmp are writable (Podman; None = engine's own).
    """

    privileged: bool = False
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    no_new_privileges: bool = False
    seccomp: str = ""
    apparmor: str = ""
    selinux: tuple[str, ...] = ()
    unmask: tuple[str, ...] = ()
    mask: tuple[str, ...] = ()
    read_only_rootfs: bool = False
    read_write_tmpfs: bool | None = None
    devices: tuple[DeviceSpec, ...] = ()
    device_cgroup_rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Ulimit:
    """name: in small letters, without RLIMIT_ ("nofile"). soft, hard: -1 = unlimited."""

    name: str
    soft: int
    hard: int


@dataclass(frozen=True, slots=True, order=True)
class Throttle:
    """A limit of one block device. kind: "read-bps", "write-bps", "read-iops", "write-iops", "weight"."""

    kind: str
    path: str
    rate: int


@dataclass(frozen=True, slots=True)
class ResourceSpec:
    """Limits beyond memory and CPUs, which stand in WorkloadSpec itself.

    memory_swap_bytes: memory and swap together, -1 = unlimited, 0 = engine's own (twice the memory).
    cpu_quota_us, cpu_period_us: only where they cannot be said as WorkloadSpec.cpus_nano (period not 100,000 us).
    pids_limit: -1 = unlimited, None = engine's own. storage: options of the writable layer ("size": "20G").
    """

    memory_reservation_bytes: int = 0
    memory_swap_bytes: int = 0
    memory_swappiness: int | None = None
    oom_kill_disable: bool = False
    oom_score_adj: int | None = None
    cpu_shares: int = 0
    cpu_quota_us: int = 0
    cpu_period_us: int = 0
    cpu_realtime_runtime_us: int = 0
    cpu_realtime_period_us: int = 0
    cpuset_cpus: str = ""
    cpuset_mems: str = ""
    pids_limit: int | None = None
    blkio_weight: int = 0
    throttles: tuple[Throttle, ...] = ()
    ulimits: tuple[Ulimit, ...] = ()
    sysctls: Mapping[str, str] = field(default_factory=lambda: NO_LABELS)
    storage: Mapping[str, str] = field(default_factory=lambda: NO_LABELS)
    cgroup_parent: str = ""
    runtime: str = ""


@dataclass(frozen=True, slots=True)
class HealthSpec:
    """A health check that the image does not have.

    test: ("CMD", …), ("CMD-SHELL", …), ("NONE",) = the image's is switched off.
    *_ns: nanoseconds; 0 = the engines' own 30 s, 30 s, 0 s, 5 s. retries: 0 = the engines' own 3.
    on_failure: what Podman does ("none", "kill", "restart", "stop"), "" elsewhere.
    startup: Podman's own startup check, None elsewhere; startup_successes: how often it must succeed.
    """

    test: tuple[str, ...]
    interval_ns: int = 0
    timeout_ns: int = 0
    start_period_ns: int = 0
    start_interval_ns: int = 0
    retries: int = 0
    on_failure: str = ""
    startup: HealthSpec | None = None
    startup_successes: int = 0


@dataclass(frozen=True, slots=True)
class LogSpec:
    """Where the log goes, where it is not the engine's own choice.

    driver: "json-file", "k8s-file", "journald", "none", … options: as the engine names them ("max-size": "10m").
    """

    driver: str = ""
    options: Mapping[str, str] = field(default_factory=lambda: NO_LABELS)
