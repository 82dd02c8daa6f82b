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
class EngineInfo:
    """What the engine said when connected.

    version: of the engine ("26.1.5"); api_version: of the protocol spoken; local: shares this machine's
    kernel, so that cgroup files of its containers can be read here; cgroup_version: "1", "2" or "".
    cdi_devices: names it knows, where it tells. arch: as OCI writes it ("amd64"). cpus, memory_bytes: its host's.
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
    capabilities: Capabilities = Capabilities()
