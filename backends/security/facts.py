"""What is known of a container and of an engine before anything is judged. Plain data; may not ask an engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from backends.model.capabilities import EngineInfo
from backends.model.ids import EngineId, EngineKind
from backends.model.rights import own_capabilities
from backends.model.workload import WorkloadSpec
from backends.security.places import SignaturePlaces
from backends.security.trust import ImagePolicy

_LOOPBACK = ("127.", "localhost", "[::1]", "::1")


def like_docker(engine: EngineId, info: EngineInfo) -> bool:
    """Whether Docker's words apply: it is one, or a demo that plays one (only Docker tells of live-restore)."""
    return engine.kind is EngineKind.DOCKER or (engine.kind is EngineKind.DEMO and info.policy.live_restore is not None)


def own_caps(engine: EngineId, info: EngineInfo) -> tuple[frozenset[str], str]:
    """(what the engine gives to a container that asks for nothing, where that list is from)."""
    if info.policy.default_caps:
        return frozenset(info.policy.default_caps), "told by the engine: info, host.security.capabilities"
    if like_docker(engine, info):
        source = "Docker does not tell: moby daemon/pkg/oci/caps/defaults.go"
        return own_capabilities(EngineKind.DOCKER), source
    return own_capabilities(EngineKind.PODMAN), "containers-common pkg/config/default.go"


@dataclass(frozen=True, slots=True)
class ImageSeen:
    """Of the image that a container runs. created_at: None where not told, or a placeholder of reproducible builds.

    named_now: the id that its reference names in the store now, "" where none. digests: the registry's.
    secrets: names of its own variables that look like secrets.
    """

    created_at: datetime | None = None
    named_now: str = ""
    digests: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrustSeen:
    """Podman's signature policy. path: as the engine sees it. problem: why it cannot be read, "" where it can.

    registries: files of registries.d, which say where signatures are. folder: where they lie, "" where there is none.
    places: what they say. here: these are this machine's own files, so that another program of it can use them.
    """

    path: str
    policy: ImagePolicy | None
    problem: str = ""
    registries: tuple[str, ...] = ()
    folder: str = ""
    places: SignaturePlaces = field(default_factory=SignaturePlaces)
    here: bool = False


@dataclass(frozen=True, slots=True)
class ContainerFacts:
    """One container.

    user: as whom it runs, the image's word included ("" = root). image_id: bare hex of what it runs.
    now: aware. trust: the engine's policy, None where it has none, or it is not to be seen.
    """

    engine: EngineId
    info: EngineInfo
    spec: WorkloadSpec
    user: str
    image_id: str
    image: ImageSeen
    now: datetime
    trust: TrustSeen | None = None

    @property
    def docker(self) -> bool:
        """Docker's words apply."""
        return like_docker(self.engine, self.info)

    @property
    def mapped(self) -> bool:
        """Its root is nobody of importance on the host: the engine is rootless, or a user namespace stands between."""
        if self.info.rootless:
            return True
        own = self.spec.namespaces.user
        if self.docker:
            return bool(self.info.policy.userns_remap) and own != "host" and not self.spec.security.privileged
        return own not in {"", "host"} and not own.startswith("container:")

    @property
    def root(self) -> bool:
        """Its first process is root inside."""
        name = self.user.partition(":")[0]
        return name in {"", "root"} or (name.isascii() and name.isdigit() and int(name) == 0)


@dataclass(frozen=True, slots=True)
class SocketSeen:
    """A socket file. mode: its permission bits. owner, group: names, or numbers without a name.

    members: of the group, as /etc/group tells. shut_by: the folder above it that keeps other users out, "" = none does.
    """

    path: str
    mode: int
    owner: str
    group: str
    members: tuple[str, ...] = ()
    shut_by: str = ""


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """One engine. socket, trust: None where it has none on this machine, or it cannot be looked at."""

    engine: EngineId
    endpoint: str
    info: EngineInfo
    socket: SocketSeen | None = None
    trust: TrustSeen | None = None

    @property
    def docker(self) -> bool:
        """Docker's words apply."""
        return like_docker(self.engine, self.info)

    @property
    def plain_tcp(self) -> bool:
        """It is reached by TCP without TLS."""
        return self.endpoint.startswith(("tcp://", "http://"))

    @property
    def loopback(self) -> bool:
        """Its TCP address is one of this machine only."""
        return self.endpoint.partition("://")[2].startswith(_LOOPBACK)


__all__ = ["ContainerFacts", "EngineFacts", "ImageSeen", "SocketSeen", "TrustSeen", "like_docker", "own_caps"]
