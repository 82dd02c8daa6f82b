"""What an engine is and can do, as it says itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class Capability(StrEnum):
    """Something that not every engine can do; absent ones carry their reason."""

    PAUSE = "pause"
    STATS_API = "stats-api"  # per-container stats over the engine's API
    RESOURCE_LIMITS = "resource-limits"  # memory and CPU limits are enforced
    CDI = "cdi"  # GPU access by CDI device names
    HEALTHCHECK = "healthcheck"  # runs by itself
    RENAME = "rename"
    START = "start"  # single containers are started, stopped and killed when asked for
    EXEC = "exec"  # programs are run in containers, and their processes told
    FILES = "files"  # files of containers are read and written
    RECIPES = "recipes"  # it tells what would make a container again, and makes containers
    STORES = "stores"  # images, volumes and networks of its own


_NONE: Mapping[Capability, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Capabilities:
    """lacking: what this engine cannot do, each with the reason in words; all else it can."""

    lacking: Mapping[Capability, str] = field(default_factory=lambda: _NONE)

    def can(self, capability: Capability) -> bool:
        """Whether the engine can do it."""
        return capability not in self.lacking

    def why_not(self, capability: Capability) -> str:
        """The reason why it cannot, "" where it can."""
        return self.lacking.get(capability, "")


@dataclass(frozen=True, slots=True)
class EnginePolicy:
    """What an engine's own settings say of rights and registries. None, () = it does not tell, or has no such setting.

    userns_remap: rootful containers get a user namespace. live_restore: containers outlive a restart of the daemon.
    no_new_privileges: for all containers. swarm: it is part of one. default_caps: what a container has that asks for
    nothing ("CAP_CHOWN"). insecure_registries: those asked without proof of who they are. search_registries: those
    asked for a name without a registry. blocked_registries: those never asked.
    """

    userns_remap: bool | None = None
    live_restore: bool | None = None
    no_new_privileges: bool | None = None
    swarm: bool | None = None
    default_caps: tuple[str, ...] = ()
    insecure_registries: tuple[str, ...] = ()
    search_registries: tuple[str, ...] = ()
    blocked_registries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What the engine said when connected.

    version: of the engine ("26.1.5"); api_version: of the protocol spoken; local: shares this machine's
    kernel, so that cgroup files of its containers can be read here; cgroup_version: "1", "2" or "".
    cdi_devices: names it knows, where it tells. cgroup_controllers: those that it may use, () where it does not tell.
    seccomp, apparmor, selinux: whether its host has it on, None where it does not tell. image_store: "overlay2",
    "containerd", … id_ranges: of a rootless engine, (first id in the container, how many) that exist, () = all.
    arch: as OCI writes it ("amd64"). cpus, memory_bytes: its host's. host: that one's own name, "" = not told.
    runtimes: OCI runtimes by name, its default first. cdi_folders: where it looks for CDI specs. Both () = not told.
    policy: its own settings of rights and registries.
    """

    version: str
    api_version: str
    rootless: bool
    local: bool
    os: str = ""
    arch: str = ""
    kernel: str = ""
    cgroup_version: str = ""
    cpus: int = 0
    memory_bytes: int = 0
    graph_root: str = ""
    cdi_devices: tuple[str, ...] = ()
    cgroup_controllers: tuple[str, ...] = ()
    seccomp: bool | None = None
    apparmor: bool | None = None
    selinux: bool | None = None
    image_store: str = ""
    id_ranges: tuple[tuple[int, int], ...] = ()
    host: str = ""
    runtimes: tuple[str, ...] = ()
    cdi_folders: tuple[str, ...] = ()
    policy: EnginePolicy = EnginePolicy()
    capabilities: Capabilities = Capabilities()


@dataclass(frozen=True, slots=True)
class Room:
    """Where an engine keeps its things and how much fits, in bytes; None = it cannot be told from here.

    temp_dir: where it unpacks archives that are loaded, "" where it needs none.
    """

    graph_root: str = ""
    free_bytes: int | None = None
    temp_dir: str = ""
    temp_free_bytes: int | None = None
