"""Who is who: frozen keys for engines, containers and images, never a bare str."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EngineKind(StrEnum):
    """What speaks at the other end of the socket."""

    DOCKER = "docker"
    PODMAN = "podman"
    KUBERNETES = "kubernetes"
    DEMO = "demo"


@dataclass(frozen=True, slots=True, order=True)
class EngineId:
    """One engine of the fleet.

    name: unique in the fleet, what a person types and reads ("docker", "podman", "podman-rootless",
    "docker-gpu01", "k8s-CONTEXT", "demo-docker").
    """

    kind: EngineKind
    name: str

    def __hash__(self) -> int:
        """Of the name alone, which is unique in a fleet."""
        return hash(self.name)

    def __str__(self) -> str:
        return self.name

    @property
    def plays(self) -> EngineKind:
        """Whose commands a person types for it: a demo engine plays what its name says, else Docker."""
        if self.kind is not EngineKind.DEMO:
            return self.kind
        return EngineKind.PODMAN if EngineKind.PODMAN.value in self.name else EngineKind.DOCKER


@dataclass(frozen=True, slots=True, order=True)
class ContainerKey:
    """One container; `id` is the full 64 hex digits as Docker and Podman give them.

    On Kubernetes, where a container that has not started has no id and one that starts again gets another, it is
    "NAMESPACE/POD/CONTAINER".
    """

    engine: EngineId
    id: str

    def __hash__(self) -> int:
        """Of the id alone, which a str hashes once: with 200 rows keys are looked up thousands of times a second."""
        return hash(self.id)

    @property
    def short(self) -> str:
        """The 12 digits that people know; the whole id on Kubernetes."""
        return self.id if self.engine.kind is EngineKind.KUBERNETES else self.id[:12]


@dataclass(frozen=True, slots=True, order=True)
class ImageKey:
    """One image in one engine's store; `id` is bare hex, without "sha256:"."""

    engine: EngineId
    id: str

    @property
    def short(self) -> str:
        """The 12 digits that people know."""
        return self.id[:12]
