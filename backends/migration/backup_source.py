"""Looks at a container that is to be backed up. Changes nothing."""

from __future__ import annotations

import asyncio
import posixpath
from collections.abc import Iterable
from dataclasses import dataclass

from backends.engine import Engine
from backends.migration import references
from backends.migration.files import in_tree
from backends.model.capabilities import EngineInfo
from backends.model.container import ChangedPath, ChangeKind, Container, ContainerState, MountKind
from backends.model.errors import NotFound, Refused
from backends.model.ids import EngineId
from backends.model.image import ImageFacts
from backends.model.network import NetworkSpec
from backends.model.workload import Volume, WorkloadSpec

_IN_BETWEEN = frozenset({ContainerState.REMOVING, ContainerState.STOPPING, ContainerState.DEAD, ContainerState.UNKNOWN})


@dataclass(frozen=True, slots=True)
class BackupFacts:
    """All that goes into the file besides content. reference: the image's full name, "" where it has none.

    notes: what should be known of the backup.
    """

    engine: EngineId
    info: EngineInfo
    container: Container
    spec: WorkloadSpec
    image: ImageFacts
    reference: str
    digests: tuple[str, ...]
    volumes: tuple[Volume, ...]
    networks: tuple[NetworkSpec, ...]
    notes: tuple[str, ...]


async def look(engine: Engine, container: str, *, live: bool) -> BackupFacts:
    """The facts of a container, by id or name.

    Raises NotFound where it, its image, a volume or a network is gone, Refused where it cannot be backed up now.
    """
    info = await engine.connect()
    seen, spec = await asyncio.gather(engine.inspect_container(container), engine.workload_spec(container))
    if seen.state in _IN_BETWEEN:
        hint = "wait until it runs or has stopped"
        raise Refused(f"{seen.name} is {seen.state}", hint=hint, engine=engine.id)
    if spec.process.auto_remove and seen.state.alive and not live:
        raise Refused(
            f"{seen.name} was made with --rm: stopping it would delete it",
            hint="take the backup while it runs (--live)",
            engine=engine.id,
        )
    try:
        image = await engine.image_facts(spec.image_id or seen.image_id or spec.image)
    except NotFound as error:
        raise NotFound(
            f"the image of {seen.name} is gone from {engine.id}",
            detail=str(error),
            hint="make an image of the container first (commit), and back up a container of that image",
            engine=engine.id,
        ) from error
    names = dict.fromkeys(mount.source for mount in spec.mounts if mount.kind is MountKind.VOLUME)
    joined = dict.fromkeys(attached.network for attached in spec.network.networks)
    images, volumes, networks = await asyncio.gather(
        engine.list_images(),
        asyncio.gather(*(engine.inspect_volume(name) for name in names)),
        asyncio.gather(*(engine.inspect_network(name) for name in joined)),
    )
    reference, _ = references.tag_of(spec.image, image.key.id)
    return BackupFacts(
        engine=engine.id,
        info=info,
        container=seen,
        spec=spec,
        image=image,
        reference=reference,
        digests=next((listed.digests for listed in images if listed.key.id == image.key.id), ()),
        volumes=tuple(volumes),
        networks=tuple(network.spec for network in networks if not network.default),
        notes=_notes(seen, spec, live),
    )


def _notes(seen: Container, spec: WorkloadSpec, live: bool) -> tuple[str, ...]:
    notes = []
    if live and seen.state.alive and any(mount.kind is MountKind.VOLUME for mount in spec.mounts):
        notes.append("it kept running: what was written during the backup may be half in it")
    binds = sorted(mount.source for mount in spec.mounts if mount.kind is MountKind.BIND)
    if binds:
        notes.append(f"files of the host are not in it: {', '.join(binds)}")
    if spec.env:
        notes.append("it holds the environment in clear text: whoever can read the file can read that")
    return tuple(notes)


def carried_changes(paths: Iterable[ChangedPath]) -> tuple[ChangedPath, ...]:
    """Of all changed paths those to read: what was added, with all below it, and changed files.

    A folder that only counts as changed because of what is in it is not read as a whole.
    """
    kept: list[ChangedPath] = []
    ordered = sorted(paths, key=in_tree)
    holding: set[str] = set()
    for entry in ordered:
        folder = entry.path
        while (folder := posixpath.dirname(folder)) not in holding:
            holding.add(folder)
    for entry in ordered:
        if entry.kind is ChangeKind.DELETED or (kept and entry.path.startswith(f"{kept[-1].path}/")):
            continue
        if entry.kind is not ChangeKind.CHANGED or entry.path not in holding:
            kept.append(entry)
    return tuple(kept)
