"""What is known of both sides before a plan is made. Plain data; may not ask an engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from backends.model.capabilities import EngineInfo
from backends.model.container import Container
from backends.model.ids import EngineId
from backends.model.image import ImageFacts
from backends.model.workload import Volume, WorkloadSpec


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """The container to be moved and what belongs to it.

    image: what it really runs. tag_id: the id that its reference names now, "" where it names nothing any more.
    digests: the registry's digests of that image. volumes: those it mounts, by name.
    sharers: per volume, the names of other containers that run and mount it.
    unreadable: why its volumes cannot be read, as (title, detail, remedy); None where they can.
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


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """The engine that is to get the copy.

    by_id: the image with the source image's id, by_tag: the one with its reference, None where there is none.
    """

    engine: EngineId
    info: EngineInfo
    by_id: ImageFacts | None = None
    by_tag: ImageFacts | None = None
    containers: tuple[Container, ...] = ()
    volumes: frozenset[str] = frozenset()


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


def same_host(source: EngineInfo, target: EngineInfo) -> bool:
    """Whether both engines see the same host paths: both are local to this machine."""
    return source.local and target.local
