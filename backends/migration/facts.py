"""What is known of both sides before a plan is made. Plain data; may not ask an engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from backends.giving import UNSEEN
from backends.model.capabilities import EngineInfo, Room
from backends.model.container import ChangedPath, Container
from backends.model.gpu import GpuSnapshot
from backends.model.ids import EngineId
from backends.model.image import ImageFacts
from backends.model.network import Network
from backends.model.workload import Volume, WorkloadSpec
from backends.security.facts import TrustSeen

UNTOLD = Room()
_NOBODY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class BindFact:
    """A bind's source on the target's host, where that is this machine. open_to_all: every user may read it."""

    exists: bool
    open_to_all: bool = True


@dataclass(frozen=True, slots=True)
class VolumeFact:
    """What a volume holds. disk_bytes: that its files take; hole_bytes: that they would take besides, were their holes
    filled, as they are on the way. ids: of users and groups that own them, as its host has
    them, empty where they are mapped.
    """

    disk_bytes: int
    ids: frozenset[int] = frozenset()
    hole_bytes: int = 0


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """The container to be moved and what belongs to it.

    image: what it really runs. tag_id: the id that its reference names now, "" where it names nothing any more.
    digests: the registry's digests of that image. volumes: those it mounts, by name.
    sharers: per volume, the names of other containers that run and mount it.
    unreadable: why its volumes cannot be read, as (title, detail, remedy); None where they can.
    containers: all of its engine. networks: all of its engine, by name. changed: what its own layer has of files, None
    where the engine did not tell. user: as whom it runs, the image's word included. has_tar: its image has `tar`, None
    where nobody looked. held: what volumes hold, where their folders can be read here. layer_bytes: of the
    image's layers, base first, () where not told. store: the folder of its engine's store where the image can be read
    there, else "" and unread says why not.
    """

    engine: EngineId
    info: EngineInfo
    container: Container
    spec: WorkloadSpec
    image: ImageFacts
    tag_id: str
    digests: tuple[str, ...] = ()
    volumes: Mapping[str, Volume] = field(default_factory=dict)
    sharers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unreadable: tuple[str, str, str] | None = None
    containers: tuple[Container, ...] = ()
    networks: Mapping[str, Network] = field(default_factory=dict)
    changed: tuple[ChangedPath, ...] | None = ()
    user: str = ""
    has_tar: bool | None = None
    held: Mapping[str, VolumeFact] = field(default_factory=dict)
    layer_bytes: tuple[int | None, ...] = ()
    store: str = ""
    unread: str = "nobody looked"


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """The engine that is to get the copy.

    by_id: the image with the source image's id, by_tag: the one with its reference, None where there is none.
    room: how much fits. binds: sources of binds on its host, where that is this machine. bare_store: it has no image
    at all that could have `tar`. image_layers: the diff-IDs of each of its images. gpus: of its machine, as far as the
    probe here sees them. trust: its signature policy, None where it has none, or it is not to be seen from here.
    """

    engine: EngineId
    info: EngineInfo
    by_id: ImageFacts | None = None
    by_tag: ImageFacts | None = None
    containers: tuple[Container, ...] = ()
    volumes: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    room: Room = UNTOLD
    binds: Mapping[str, BindFact] = field(default_factory=dict)
    bare_store: bool = False
    image_layers: tuple[tuple[str, ...], ...] = ()
    gpus: GpuSnapshot = UNSEEN
    trust: TrustSeen | None = None


@dataclass(frozen=True, slots=True)
class Company:
    """Containers that move together.

    partners: their names on the source, each with its name on the target. volumes: those that another of them brings,
    each with its copy's name. networks: those that another of them makes on the target. stopping: names of containers
    of the source that are stopped before any copy starts.
    """

    partners: Mapping[str, str] = field(default_factory=lambda: _NOBODY)
    volumes: Mapping[str, str] = field(default_factory=lambda: _NOBODY)
    networks: tuple[Network, ...] = ()
    stopping: frozenset[str] = frozenset()


def same_image(one: ImageFacts, other: ImageFacts) -> bool:
    """Whether two engines hold the same image: layers, platform, and the config where both tell its digest.

    Ids are not compared: Docker's containerd store uses the manifest's digest as id, Podman the config's.
    """
    configs_differ = one.config_digest and other.config_digest and one.config_digest != other.config_digest
    return (
        bool(one.diff_ids)
        and one.diff_ids == other.diff_ids
        and (one.architecture, one.os) == (other.architecture, other.os)
        and not configs_differ
    )


_NO_NAMES = frozenset({"", "localhost", "localhost.localdomain"})
"""What a host calls itself that has not been given a name."""


def one_machine(source: EngineInfo, target: EngineInfo) -> bool:
    """Whether they probably hold ports and addresses of one machine: both are local, or call their host the same."""
    named = source.host == target.host and source.host not in _NO_NAMES
    return same_host(source, target) or (named and source.local == target.local)


def same_host(source: EngineInfo, target: EngineInfo) -> bool:
    """Whether both engines see the same host paths: both are local to this machine."""
    return source.local and target.local
