"""Asks both engines for the facts of a move and makes the plan. Changes nothing on either."""

from __future__ import annotations

import asyncio

from backends.engine import Engine
from backends.migration import references
from backends.migration.facts import SourceFacts, TargetFacts
from backends.migration.plan import make_plan
from backends.migration.tools import tool_image
from backends.model.container import Container, MountKind
from backends.model.errors import NotFound, Refused, Unsupported
from backends.model.ids import EngineKind
from backends.model.image import ImageFacts
from backends.model.plan import Plan
from backends.model.workload import WorkloadSpec

Sharers = dict[str, tuple[str, ...]]


async def image_or_none(engine: Engine, reference: str) -> ImageFacts | None:
    """The image of that id or reference, None where the engine has none (or where "" is asked for)."""
    if not reference:
        return None
    try:
        return await engine.image_facts(reference)
    except NotFound:
        return None


async def _sharers(engine: Engine, spec: WorkloadSpec, own_id: str, containers: list[Container]) -> Sharers:
    """Per volume of the source, the names of the other living containers that mount it.

    Podman's list tells where something is mounted, not what: then the container itself is looked at.
    """
    names = {mount.source for mount in spec.mounts if mount.kind is MountKind.VOLUME}
    users: dict[str, set[str]] = {}
    for other in containers if names else ():
        if not other.state.alive or other.key.id == own_id:
            continue
        seen = other
        if any(mount.kind is MountKind.OTHER for mount in other.mounts):
            try:
                seen = await engine.inspect_container(other.key.id)
            except NotFound:
                continue  # it went meanwhile
        for mount in seen.mounts:
            if mount.kind is MountKind.VOLUME and mount.source in names:
                users.setdefault(mount.source, set()).add(other.name)
    return {name: tuple(sorted(found)) for name, found in users.items()}


async def _unreadable(engine: Engine, volumes: list[str], image_id: str) -> tuple[str, str, str] | None:
    """Why the volumes cannot be read. Only Podman needs a program of an image for it; a helper container tries it,
    sees the volume read-only and is removed at once.
    """
    if engine.id.kind is not EngineKind.PODMAN:
        return None
    try:
        for name in volumes:
            await tool_image(engine, name, image_id)
    except Unsupported as error:
        return error.title, error.detail, error.hint
    except Refused:
        return None  # read-only: nothing is tried, and nothing will be moved
    return None


async def source_facts(engine: Engine, container: str) -> SourceFacts:
    """All that a plan needs to know of the source; container: id or name.

    Raises NotFound where the container, its image or one of its volumes is gone.
    """
    info = await engine.connect()
    seen, spec = await asyncio.gather(engine.inspect_container(container), engine.workload_spec(container))
    try:
        image = await engine.image_facts(spec.image_id or seen.image_id or spec.image)
    except NotFound as error:
        raise NotFound(
            f"the image of {seen.name} is gone from {engine.id}",
            detail=str(error),
            hint="make an image of the container first (commit), and move a container of that image",
            engine=engine.id,
        ) from error
    names = sorted({mount.source for mount in spec.mounts if mount.kind is MountKind.VOLUME})
    named, containers, images, volumes = await asyncio.gather(
        image_or_none(engine, spec.image),
        engine.list_containers(),
        engine.list_images(),
        asyncio.gather(*(engine.inspect_volume(name) for name in names)),
    )
    digests = next((listed.digests for listed in images if listed.key.id == image.key.id), ())
    return SourceFacts(
        engine=engine.id,
        info=info,
        container=seen,
        spec=spec,
        image=image,
        tag_id=named.key.id if named else "",
        digests=digests,
        volumes=dict(zip(names, volumes, strict=True)),
        sharers=await _sharers(engine, spec, seen.key.id, containers),
        unreadable=await _unreadable(engine, names, image.key.id),
    )


async def target_facts(engine: Engine, source: SourceFacts) -> TargetFacts:
    """All that a plan needs to know of the target for moving this source there."""
    info = await engine.connect()
    tag, _ = references.tag_of(source.spec.image, source.image.key.id)
    by_id, by_tag, containers, volumes = await asyncio.gather(
        image_or_none(engine, source.image.key.id),
        image_or_none(engine, tag),
        engine.list_containers(),
        engine.list_volumes(),
    )
    return TargetFacts(
        engine=engine.id,
        info=info,
        by_id=by_id,
        by_tag=by_tag,
        containers=tuple(containers),
        volumes=frozenset(volume.name for volume in volumes),
    )


async def plan_migration(source: Engine, container: str, target: Engine, *, name: str | None = None) -> Plan:
    """The plan of moving a container; nothing is changed.

    container: id or name on the source. name: of the copy, None = the same; where it is given, volumes whose names are
    taken on the target get new names. What stands in the way is a finding of severity BLOCK in the plan.
    Raises NotFound where the container or its image is gone, Unreachable (Denied, TimedOut, …) where an engine is.
    """
    facts = await source_facts(source, container)
    return make_plan(facts, await target_facts(target, facts), name)
