"""What the advisor judges by: a workload, the engines that could have it, and this machine. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from backends.model.capabilities import EngineInfo
from backends.model.container import Container
from backends.model.ids import EngineId
from backends.model.plan import FieldPlan, Finding
from backends.model.workload import WorkloadSpec
from backends.security.facts import TrustSeen, like_docker
from backends.services.boot_facts import BootFacts
from backends.services.doctor import HostFacts


@dataclass(frozen=True, slots=True)
class Workload:
    """The container and its recipe."""

    container: Container
    spec: WorkloadSpec


@dataclass(frozen=True, slots=True)
class EngineSeen:
    """An engine that answers. here: it has the container now. has_image: its store has the container's image.

    trust: its signature policy, None where it has none, or it is not to be seen.
    blocks, warns, dropped: what a plan of the move there says; () for the engine that has it.
    """

    id: EngineId
    info: EngineInfo
    endpoint: str
    here: bool
    has_image: bool
    trust: TrustSeen | None = None
    blocks: tuple[Finding, ...] = ()
    warns: tuple[Finding, ...] = ()
    dropped: tuple[FieldPlan, ...] = ()

    @property
    def name(self) -> str:
        """As people call it."""
        return self.id.name

    @property
    def docker(self) -> bool:
        """Docker's words apply; else Podman's."""
        return like_docker(self.id, self.info)


@dataclass(frozen=True, slots=True)
class Ground:
    """This machine. programs: path by name of the Compose programs that are here.

    unprivileged_port: the first port that an ordinary user may listen on, None where it cannot be read.
    """

    host: HostFacts
    boot: BootFacts
    programs: Mapping[str, str] = field(default_factory=dict)
    unprivileged_port: int | None = None


__all__ = ["EngineSeen", "Ground", "Workload"]
